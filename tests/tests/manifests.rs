//! What every crate's manifest has, and that the map's table of dependencies is that of the manifests.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(dir: &Path) -> Table {
    fs::read_to_string(dir.join("Cargo.toml")).unwrap().parse().unwrap()
}

/// Every member of the workspace.
fn members() -> Vec<PathBuf> {
    let parents = ["crates", "examples"].map(|parent| fs::read_dir(root().join(parent)).unwrap());
    let mut members: Vec<_> =
        parents.into_iter().flatten().map(|dir| dir.unwrap().path()).collect();
    members.extend(["benches", "fuzz/targets", "tests"].map(|member| root().join(member)));
    members
}

#[test]
fn no_crate_has_unsafe_code() {
    assert_eq!(
        manifest(&root())["workspace"]["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
    for member in members() {
        let lints = manifest(&member).get("lints").cloned();
        let inherited = lints.as_ref().and_then(|lints| lints.get("workspace"));
        assert_eq!(inherited, Some(&Value::Boolean(true)), "{}", member.display());
    }
}

#[test]
fn every_published_crate_can_be_found() {
    for member in members() {
        let manifest = manifest(&member);
        let package = manifest["package"].as_table().unwrap();
        if package.get("publish") == Some(&Value::Boolean(false)) {
            continue;
        }
        for key in ["description", "license", "readme", "keywords", "categories", "rust-version"] {
            assert!(package.contains_key(key), "{} has no {key}", member.display());
        }
    }
}

#[test]
fn the_table_of_dependencies_is_up_to_date() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for member in members().iter().filter(|member| member.parent().unwrap().ends_with("crates")) {
        let manifest = manifest(member);
        let name = manifest["package"]["name"].as_str().unwrap();
        let kinds = |table: &Table| {
            let kinds = ["dependencies", "build-dependencies"].map(|kind| table.get(kind).cloned());
            kinds.into_iter().flatten().collect::<Vec<_>>()
        };
        let mut tables = kinds(&manifest);
        for target in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
            tables.extend(kinds(target.1.as_table().unwrap()));
        }
        let all = tables.iter().flat_map(|table| table.as_table().unwrap().keys().cloned());
        let own: BTreeSet<_> =
            all.filter(|dependency| !dependency.starts_with("lossmith")).collect();
        let mut rows = map.lines().map(|line| line.split('|').collect::<Vec<_>>());
        let row = rows.find(|row| row.get(1) == Some(&&*format!(" `{name}` ")) && row.len() == 5);
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row of {name}"));
        let told = row[2].split('`').skip(1).step_by(2).map(str::to_owned);
        assert_eq!(
            told.collect::<BTreeSet<_>>(),
            own,
            "the dependencies of {name} in ARCHITECTURE.md"
        );
    }
}
