//! What each library shows to its users, as committed in `api/`: a change that breaks them is made on purpose.
//!
//! The lint `unreachable_pub` keeps `pub` for what is public, so the public items are those that say so.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::wildcard_enum_match_arm, reason = "syn has many kinds of items")]

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use syn::{Attribute, Block, Fields, ImplItem, Item, TraitItem, Type, Visibility, parse_quote};

/// The libraries; the command and what is only for tests have no users.
const CRATES: [&str; 11] = [
    "burn",
    "candle",
    "conformance",
    "core",
    "exact",
    "fused",
    "half",
    "lossmith",
    "nalgebra",
    "ndarray",
    "precision",
];

#[test]
fn every_public_item_is_as_committed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api");
    std::fs::create_dir_all(&new).unwrap();
    let mut stale = Vec::new();
    for name in CRATES {
        let api = api(&root.join("../crates").join(name).join("src/lib.rs"));
        let committed = std::fs::read_to_string(root.join("tests/api").join(format!("{name}.txt")));
        std::fs::write(new.join(format!("{name}.txt")), &api).unwrap();
        if committed.ok().as_deref() != Some(&api) {
            stale.push(format!("cp {}/{name}.txt tests/tests/api/", new.display()));
        }
    }
    assert!(
        stale.is_empty(),
        "other public items than committed; if so meant:\n{}",
        stale.join("\n")
    );
}

/// The public items of a crate as source without documentation, bodies and values.
fn api(lib: &Path) -> String {
    let (mut items, mut hidden) = (read(lib), HashSet::new());
    load(&mut items, lib.parent().unwrap());
    hide(&items, &mut hidden);
    shown(&mut items, &hidden);
    let attrs = Vec::new();
    prettyplease::unparse(&syn::File { shebang: None, frontmatter: None, attrs, items })
}

fn read(file: &Path) -> Vec<Item> {
    syn::parse_file(&std::fs::read_to_string(file).unwrap()).unwrap().items
}

/// Puts every module's items where it is declared.
fn load(items: &mut [Item], dir: &Path) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let inside: PathBuf = dir.join(module.ident.to_string());
        let file = inside.with_extension("rs");
        let (_, content) = module.content.get_or_insert_with(|| (Default::default(), read(&file)));
        module.semi = None;
        load(content, &inside);
    }
}

/// The names that no user sees: private types and traits, and macros that make nothing public.
fn hide(items: &[Item], hidden: &mut HashSet<String>) {
    for item in items {
        let (vis, ident) = match item {
            Item::Mod(module) => {
                hide(&module.content.as_ref().unwrap().1, hidden);
                continue;
            }
            Item::Macro(rules) if rules.ident.is_some() => {
                if !shows(rules) {
                    hidden.insert(rules.ident.as_ref().unwrap().to_string());
                }
                continue;
            }
            Item::Struct(item) => (&item.vis, &item.ident),
            Item::Enum(item) => (&item.vis, &item.ident),
            Item::Trait(item) => (&item.vis, &item.ident),
            Item::Type(item) => (&item.vis, &item.ident),
            _ => continue,
        };
        if !public(vis) {
            hidden.insert(ident.to_string());
        }
    }
}

/// Whether a `macro_rules!` is exported or has public items.
fn shows(rules: &syn::ItemMacro) -> bool {
    fn says_pub(tokens: TokenStream) -> bool {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let found = match token {
                TokenTree::Group(group) => says_pub(group.stream()),
                TokenTree::Ident(ident) if ident == "pub" => !matches!(
                    tokens.peek(),
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis
                ),
                _ => false,
            };
            if found {
                return true;
            }
        }
        false
    }
    let exported = rules.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
    exported || says_pub(rules.mac.tokens.clone())
}

fn public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

/// The attributes that matter to a user.
fn attributes(attributes: &mut Vec<Attribute>) {
    const KEPT: [&str; 6] =
        ["cfg", "deprecated", "derive", "macro_export", "must_use", "non_exhaustive"];
    attributes.retain(|attribute| KEPT.iter().any(|kept| attribute.path().is_ident(kept)));
}

/// Leaves the public items, without bodies.
fn shown(items: &mut Vec<Item>, hidden: &HashSet<String>) {
    let empty: Block = parse_quote!({});
    items.retain_mut(|item| match item {
        Item::Mod(module) => {
            let test = module.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"));
            attributes(&mut module.attrs);
            let content = &mut module.content.as_mut().unwrap().1;
            shown(content, hidden);
            !test && !content.is_empty()
        }
        Item::Use(item) => public(&item.vis),
        Item::Const(item) => {
            attributes(&mut item.attrs);
            *item.expr = parse_quote!(_);
            public(&item.vis)
        }
        Item::Static(item) => public(&item.vis),
        Item::Fn(item) => {
            attributes(&mut item.attrs);
            *item.block = empty.clone();
            public(&item.vis)
        }
        Item::Struct(item) => {
            attributes(&mut item.attrs);
            fields(&mut item.fields);
            public(&item.vis)
        }
        Item::Enum(item) => {
            attributes(&mut item.attrs);
            for variant in &mut item.variants {
                attributes(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| attributes(&mut field.attrs));
            }
            public(&item.vis)
        }
        Item::Type(item) => {
            attributes(&mut item.attrs);
            public(&item.vis)
        }
        Item::Trait(item) => {
            attributes(&mut item.attrs);
            for item in &mut item.items {
                match item {
                    TraitItem::Fn(method) => {
                        attributes(&mut method.attrs);
                        method.default = method.default.as_ref().map(|_| empty.clone());
                    }
                    TraitItem::Const(item) => attributes(&mut item.attrs),
                    TraitItem::Type(item) => attributes(&mut item.attrs),
                    _ => {}
                }
            }
            public(&item.vis)
        }
        Item::Impl(item) => {
            attributes(&mut item.attrs);
            let of = item.trait_.as_ref().map(|(path, _)| path.clone());
            item.items.retain_mut(|item| match item {
                ImplItem::Fn(method) => {
                    attributes(&mut method.attrs);
                    method.block = empty.clone();
                    public(&method.vis)
                }
                ImplItem::Const(item) => {
                    attributes(&mut item.attrs);
                    item.expr = parse_quote!(_);
                    public(&item.vis)
                }
                _ => true,
            });
            let mut names = of.iter().chain(match &*item.self_ty {
                Type::Path(path) => Some(&path.path),
                _ => None,
            });
            let private = names.any(|path| {
                path.segments.last().is_some_and(|last| hidden.contains(&last.ident.to_string()))
            });
            !private && (of.is_some() || !item.items.is_empty())
        }
        Item::Macro(item) => {
            attributes(&mut item.attrs);
            let name = item.ident.as_ref().or(item.mac.path.get_ident());
            name.is_none_or(|name| !hidden.contains(&name.to_string()))
        }
        _ => false,
    });
}

/// Leaves public fields, and one without a type in place of any private ones.
fn fields(fields: &mut Fields) {
    let all = fields.len();
    match fields {
        Fields::Named(named) => {
            let mut kept: Vec<_> =
                named.named.iter().filter(|field| public(&field.vis)).cloned().collect();
            kept.iter_mut().for_each(|field| attributes(&mut field.attrs));
            let mut kept: syn::punctuated::Punctuated<_, _> = kept.into_iter().collect();
            if kept.len() < all {
                kept.push(parse_quote!(private: _));
            }
            named.named = kept;
        }
        Fields::Unnamed(unnamed) => {
            for field in &mut unnamed.unnamed {
                attributes(&mut field.attrs);
                if !public(&field.vis) {
                    field.ty = parse_quote!(_);
                }
            }
        }
        Fields::Unit => {}
    }
}
