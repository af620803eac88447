//! The command as shells complete it and as manuals show it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::{Command, Output};

const COMMANDS: [&str; 6] = ["list", "eval", "compare", "bench", "completions", "man"];

fn lossmith(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lossmith")).args(arguments).output().unwrap()
}

fn shown(arguments: &[&str]) -> String {
    let output = lossmith(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = shown(&["completions", shell]);
        for word in COMMANDS.iter().chain(&["--grad", "--backend"]) {
            let word = word.trim_start_matches("--");
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    let refused = lossmith(&["completions", "csh"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn bash_completes_with_the_script() {
    let script = shown(&["completions", "bash"]);
    let ask = "COMP_WORDS=(lossmith comp); COMP_CWORD=1; _lossmith lossmith comp lossmith; echo ${COMPREPLY[@]}";
    let bash = Command::new("bash").arg("-c").arg(format!("{script}\n{ask}")).output().unwrap();
    assert_eq!(String::from_utf8(bash.stdout).unwrap(), "compare completions\n");
}

#[test]
fn the_manual_names_every_command_and_option() {
    let manual = shown(&["man"]);
    assert!(manual.contains(".TH lossmith 1"), "{manual}");
    for command in COMMANDS {
        assert!(
            manual.contains(&format!("lossmith\\-{command}(1)")),
            "{command} is not in\n{manual}"
        );
        assert!(
            shown(&["man", command]).contains(&format!(".TH lossmith-{command} 1")),
            "{command}"
        );
    }
    for option in ["grad", "backend", "dtype", "save", "json"] {
        assert!(shown(&["man", "eval"]).contains(&format!("\\-\\-{option}")), "no {option}");
    }
    let refused = lossmith(&["man", "evaluate"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("there is no command \"evaluate\": list, eval")
    );
}
