//! `lossmith completions` and `lossmith man`: the command as shells and readers of manuals want it.

use crate::error::Error;
use clap::Command;
use clap_complete::Shell;

pub(crate) fn completions(shell: Shell, mut command: Command) -> String {
    let (name, mut script) = (command.get_name().to_owned(), Vec::new());
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

pub(crate) fn man(name: Option<&str>, mut command: Command) -> Result<String, Error> {
    // Names each command as it is called, `lossmith-eval`.
    command.build();
    let page = match name {
        None => &command,
        Some(name) => command.find_subcommand(name).ok_or_else(|| {
            let known: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            Error::Usage(format!("there is no command {name:?}: {}", known.join(", ")))
        })?,
    };
    let mut roff = Vec::new();
    let written = clap_mangen::Man::new(page.clone()).render(&mut roff);
    written.map_err(|error| Error::Usage(error.to_string()))?;
    Ok(String::from_utf8_lossy(&roff).into_owned())
}
