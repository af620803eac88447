//! The book: its generated pages are the definitions', its links lead somewhere, its commands are commands.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::wildcard_enum_match_arm, reason = "Markdown has many kinds of events")]

use clap::Parser as _;
use lossmith_book::docs;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every page of the repository that a reader may come to.
fn pages() -> Vec<PathBuf> {
    let root = docs().join("..");
    let dirs = [docs(), root.clone()].into_iter();
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|dir| dir.unwrap().path());
    let files = dirs.chain(crates).flat_map(|dir| fs::read_dir(dir).unwrap());
    let files = files.map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|end| end == "md")).collect()
}

fn events(text: &str) -> impl Iterator<Item = Event<'_>> {
    TextMergeStream::new(Parser::new_ext(text, Options::ENABLE_TABLES))
}

/// The targets of a page's links and pictures.
fn links(text: &str) -> Vec<String> {
    let targets = events(text).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.into_string())
        }
        _ => None,
    });
    targets.filter(|target| !target.contains("://")).collect()
}

/// The anchors of a page's headings.
fn anchors(text: &str) -> HashSet<String> {
    let (mut anchors, mut heading) = (HashSet::new(), None::<String>);
    for event in events(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(words) | Event::Code(words) => {
                heading.iter_mut().for_each(|heading| heading.push_str(&words));
            }
            Event::End(TagEnd::Heading(_)) => {
                let heading = heading.take().unwrap().to_lowercase();
                let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                anchors.insert(kept.collect::<String>().replace(' ', "-"));
            }
            _ => {}
        }
    }
    anchors
}

#[test]
fn what_is_generated_is_up_to_date() {
    for (file, content) in lossmith_book::pages().unwrap() {
        let committed = fs::read_to_string(docs().join(&file)).unwrap_or_default();
        assert!(committed == content, "docs/{file} is stale: cargo run -p lossmith-book");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(target.exists(), "{}: {link} is not there", page.display());
            if !anchor.is_empty() {
                let headings = anchors(&fs::read_to_string(&target).unwrap());
                assert!(
                    headings.contains(anchor),
                    "{}: {link} has no such heading",
                    page.display()
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} links");
}

#[test]
fn the_book_has_every_page_and_links_to_no_other() {
    let summary = links(&fs::read_to_string(docs().join("SUMMARY.md")).unwrap());
    let listed: HashSet<_> = summary.iter().map(String::as_str).collect();
    for page in pages().iter().filter(|page| page.parent() == Some(docs().as_path())) {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(name == "SUMMARY.md" || listed.contains(name), "SUMMARY.md has no {name}");
        for link in links(&fs::read_to_string(page).unwrap()) {
            let file = link.split('#').next().unwrap();
            let inside = file.is_empty() || listed.contains(file) || file.ends_with(".svg");
            assert!(inside, "{name}: the book has no {file}");
        }
    }
}

/// The arguments of every call of the command on a page, and what the page says that it prints.
fn calls(text: &str) -> Vec<(Vec<String>, Option<String>)> {
    let (mut calls, mut language, mut before) = (Vec::new(), String::new(), String::new());
    for event in events(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(fence))) => {
                language = fence.into_string()
            }
            Event::End(TagEnd::CodeBlock) => before = std::mem::take(&mut language),
            Event::Text(block) if language == "sh" => {
                let lines = block.lines().map(|line| line.split(" #").next().unwrap().trim());
                let own =
                    lines.filter_map(|line| match line.strip_prefix("cargo run --release ") {
                        Some(rest) => rest.strip_prefix("-- "),
                        None => line.strip_prefix("lossmith "),
                    });
                calls.extend(
                    own.map(|call| (call.split_whitespace().map(str::to_owned).collect(), None)),
                );
            }
            Event::Text(printed) if language == "text" && before == "sh" => {
                calls.last_mut().unwrap().1 = Some(printed.into_string());
            }
            _ => {}
        }
    }
    calls
}

#[test]
fn the_commands_are_commands_and_print_what_is_said() {
    // As a reader calls them: from the root of the repository.
    std::env::set_current_dir(docs().join("..")).unwrap();
    let (mut parsed, mut run) = (0, 0);
    for page in pages() {
        for (call, printed) in calls(&fs::read_to_string(&page).unwrap()) {
            let shown = format!(
                "{}: lossmith {}",
                Path::new(page.file_name().unwrap()).display(),
                call.join(" ")
            );
            let words = std::iter::once("lossmith".to_owned()).chain(call);
            let command = lossmith_cli::Command::try_parse_from(words);
            let command = command.unwrap_or_else(|error| panic!("{shown}\n{error}"));
            parsed += 1;
            if let Some(printed) = printed {
                let got = lossmith_cli::run(command).unwrap();
                assert_eq!(got.trim_end(), printed.trim_end(), "{shown}");
                run += 1;
            }
        }
    }
    assert!(parsed > 8 && run > 0, "{parsed} commands, {run} run");
}
