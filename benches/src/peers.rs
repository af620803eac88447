//! burn's and candle's own losses by our names, for what times them and for what judges them.

pub mod burn;
pub mod candle;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// Why a library gives no result: it has no such loss, option or number format, or it says so itself.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What was given, by name; what nobody asks for, a library does not have.
#[derive(Debug)]
pub struct Given<T> {
    all: BTreeMap<String, T>,
    asked: RefCell<BTreeSet<String>>,
}

impl<T> FromIterator<(String, T)> for Given<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(pairs: I) -> Self {
        Self { all: pairs.into_iter().collect(), asked: RefCell::default() }
    }
}

impl<T> Given<T> {
    /// What has that name.
    ///
    /// # Errors
    /// If nothing has.
    pub fn of(&self, name: &str) -> Result<&T, Fault> {
        self.find(name).ok_or_else(|| format!("{name} is not given").into())
    }

    /// Nothing, where everything was asked for.
    ///
    /// # Errors
    /// The first name that nobody asked for.
    pub fn all_asked(&self) -> Result<(), Fault> {
        match self.all.keys().find(|name| !self.asked.borrow().contains(*name)) {
            Some(name) => Err(format!("has no {name}").into()),
            None => Ok(()),
        }
    }

    fn find(&self, name: &str) -> Option<&T> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.all.get(name)
    }
}

impl Given<String> {
    /// The value of an option, or else its default.
    ///
    /// # Errors
    /// If it is no such value.
    pub fn option<T: FromStr>(&self, name: &str, default: T) -> Result<T, Fault> {
        let Some(text) = self.find(name) else { return Ok(default) };
        text.parse().map_err(|_| format!("{name} cannot be {text}").into())
    }
}
