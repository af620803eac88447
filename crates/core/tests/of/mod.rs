//! A formula of a user's own as a loss, for the tests of whatever runs one.

use lossmith_core::catalogue::{Argument, Entry, Kind};
use lossmith_core::graph::Var;
use lossmith_core::loss::Arguments;
use lossmith_core::{Definition, Terms};

pub(crate) type Function = for<'g> fn(Var<'g>) -> Var<'g>;

/// A function of the input.
#[derive(Clone, Debug)]
pub(crate) struct Of(pub(crate) Function);

impl Definition for Of {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = Entry {
            name: "of",
            kind: Kind::Loss,
            formula: "f(x)",
            arguments: &[Argument::input()],
        };
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new((self.0)(a.tensor("input")))
    }
}
