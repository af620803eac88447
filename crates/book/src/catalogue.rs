//! The page of the catalogue: what the definitions' sources say of each loss, and what the catalogue knows.

#![allow(clippy::wildcard_enum_match_arm, reason = "syn has many kinds of items")]

use lossmith_core::catalogue::{self, Argument, SAMPLE_WEIGHT};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use syn::{
    Attribute, Expr, File, GenericArgument, Item, Lit, Meta, PathArguments, ReturnType, Type,
};

const HEAD: &str = "\
# Catalogue

<!-- Written by `cargo run -p lossmith-book`, from the definitions. -->

Every loss and building block: the formula of an element, row or sample, what it takes, its own options, an example, and curves.
In a curve one number of an argument is moved and the others stay; the derivative is what `value_and_grad` gives for it.
∂ marks arguments that have a gradient, [ ] those that may be left out.
";

/// The page.
pub(crate) fn page() -> Result<String, Box<dyn Error>> {
    let sources = sources()?;
    // It has no options of its own.
    let common = catalogue::find("mse")?.options();
    let mut page = format!(
        "{HEAD}\nEvery loss also takes `{}`, and these options; building blocks are not reduced by default.\n\n",
        SAMPLE_WEIGHT.name
    );
    options(&mut page, &common)?;
    for mut loss in catalogue::all() {
        let entry = loss.entry();
        let (about, example) = documentation(&sources, entry.name)
            .ok_or_else(|| format!("{} is not documented", entry.name))?;
        write!(page, "\n## {}\n\n{about}\n\n", entry.name)?;
        write!(page, "![Value and derivative of {0}](curves/{0}.svg)\n\n", entry.name)?;
        page += "| argument | shape | elements | domain |\n| --- | --- | --- | --- |\n";
        for argument in entry.arguments {
            let Argument { form, domain, .. } = argument;
            let values = if argument.log { "logarithms" } else { argument.values.words() };
            let domain = domain.map_or("", |domain| domain.name);
            writeln!(page, "| {} | {} | {values} | {domain} |", mark(argument), form.words())?;
        }
        let own: Vec<_> = loss
            .options()
            .into_iter()
            .filter(|own| !common.iter().any(|[name, ..]| *name == own[0]))
            .collect();
        if !own.is_empty() {
            page += "\n";
            options(&mut page, &own)?;
        }
        write!(page, "\n```rust\n{}```\n", example.replace("lossmith_core", "lossmith"))?;
    }
    Ok(page)
}

fn mark(argument: &Argument) -> String {
    let name = format!("`{}`{}", argument.name, if argument.differentiable { "∂" } else { "" });
    if argument.optional { format!("\\[{name}\\]") } else { name }
}

fn options(page: &mut String, options: &[[String; 4]]) -> Result<(), std::fmt::Error> {
    *page += "| option | default | may be | what it does |\n| --- | --- | --- | --- |\n";
    for [name, value, expects, doc] in options {
        writeln!(page, "| `{name}` | {value} | {} | {doc} |", expects.replace('|', "\\|"))?;
    }
    Ok(())
}

/// The definitions' sources.
fn sources() -> Result<Vec<File>, Box<dyn Error>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/loss");
    let mut files = Vec::new();
    for file in fs::read_dir(dir)? {
        files.push(syn::parse_file(&fs::read_to_string(file?.path())?)?);
    }
    Ok(files)
}

/// What the definition says, and the example of its constructor, by the constructor's name.
fn documentation(sources: &[File], name: &str) -> Option<(String, String)> {
    let (file, constructor) = sources.iter().find_map(|file| {
        let function = file.items.iter().find_map(|item| match item {
            Item::Fn(function) if function.sig.ident == name => Some(function),
            _ => None,
        });
        function.map(|function| (file, function))
    })?;
    // Its type is `Loss<Definition>`.
    let ReturnType::Type(_, of) = &constructor.sig.output else { return None };
    let Type::Path(loss) = &**of else { return None };
    let PathArguments::AngleBracketed(definition) = &loss.path.segments.last()?.arguments else {
        return None;
    };
    let GenericArgument::Type(Type::Path(definition)) = definition.args.first()? else {
        return None;
    };
    let definition = definition.path.get_ident()?;
    let about = file.items.iter().find_map(|item| match item {
        Item::Struct(own) if own.ident == *definition => Some(doc(&own.attrs)),
        _ => None,
    })?;
    let text = doc(&constructor.attrs);
    let example = text.split("```\n").nth(1)?.to_owned();
    Some((without_links(&about), example))
}

fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(line) if line.path.is_ident("doc") => match &line.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(line) => Some(line.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line))).collect()
}

/// Links between items are rustdoc's: the page has their words.
fn without_links(text: &str) -> String {
    let mut rest = text.trim_end();
    let mut plain = String::new();
    while let Some((before, link)) = rest.split_once("[`") {
        let Some((word, after)) = link.split_once("`]") else { break };
        write!(plain, "{before}`{word}`").unwrap_or_default();
        rest = match after.strip_prefix('(').and_then(|target| target.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    plain + rest
}
