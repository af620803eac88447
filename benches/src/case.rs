//! What is timed.

use crate::engine::Arrays;
use lossmith_core::catalogue::Form;
use lossmith_core::loss::Definition;
use lossmith_core::{Error, Loss, catalogue};
use lossmith_tests::{Beside, Problem, Stream};
use std::fmt;
use std::str::FromStr;

/// Any loss of the catalogue.
pub type AnyLoss = Loss<Box<dyn Definition>>;

/// The sides of a main input, written 4096x1000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size(pub Vec<usize>);

impl Size {
    /// How many elements there are.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.0.iter().product()
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split('x').map(|side| side.parse().ok().filter(|&side| side > 0));
        let sides: Option<Vec<usize>> = sides.collect();
        let fits = |sides: &Vec<usize>| {
            sides.iter().try_fold(1_usize, |all, &side| all.checked_mul(side)).is_some()
        };
        sides
            .filter(fits)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not sides from 1, as in 4096x1000"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides: Vec<_> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&sides.join("x"))
    }
}

/// A loss at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The loss's name.
    pub loss: String,
    /// Its main input's sides.
    pub size: Size,
    /// Its options, each OPTION=VALUE.
    pub options: Vec<String>,
    /// The optional arguments it is given.
    pub with: Vec<String>,
    /// Whether an eighth of the labels is ignored.
    pub ignored: bool,
    /// How many classes there are, where no side says so.
    pub classes: usize,
    /// Whose arrays it is given.
    pub arrays: Arrays,
}

/// How many classes there are where nothing says so.
pub const CLASSES: usize = 1000;

impl Case {
    /// The loss at that size as it is by default.
    #[must_use]
    pub fn plain(loss: &str, size: Size) -> Self {
        Self {
            loss: loss.into(),
            size,
            options: Vec::new(),
            with: Vec::new(),
            ignored: false,
            classes: CLASSES,
            arrays: Arrays::default(),
        }
    }

    /// The loss with its options.
    ///
    /// # Errors
    /// If the catalogue has no such loss, or the loss no such option.
    pub fn loss(&self) -> Result<AnyLoss, Error> {
        self.options.iter().try_fold(catalogue::find(&self.loss)?, |loss, option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            loss.with(name, value)
        })
    }

    /// Its arguments.
    ///
    /// # Errors
    /// If the loss takes no main input of that shape.
    pub fn problem(&self, loss: &AnyLoss) -> Result<Problem, Error> {
        let optional: Vec<_> = self.with.iter().map(String::as_str).collect();
        let beside = Beside { optional: &optional, rows: self.classes, ignored: self.ignored };
        let mut problem = Problem::with(loss, &self.size.0, &beside, &mut Stream(1))?;
        // As layers begin: where logits are further apart, many a probability is a subnormal number.
        let weights = loss.entry().arguments.iter().skip(1);
        for weight in weights.filter(|argument| matches!(argument.form, Form::Matrix(..))) {
            for (_, array) in problem.numbers.iter_mut().filter(|(name, _)| *name == weight.name) {
                let features = array.shape().last().copied().unwrap_or(1);
                #[allow(clippy::cast_precision_loss, reason = "a side that is timed is small")]
                let scale = 1.0 / (features as f64).sqrt();
                *array = array.map(|x| x * scale);
            }
        }
        Ok(problem)
    }

    /// What is not the default, in words; empty if nothing.
    #[must_use]
    pub fn variant(&self) -> String {
        let arrays = match self.arrays {
            Arrays::Ndarray => None,
            Arrays::Nalgebra => Some("nalgebra".to_owned()),
        };
        let given = self.with.iter().map(|name| format!("+{name}"));
        let ignored = self.ignored.then(|| "ignored".to_owned());
        let all = self.options.iter().cloned().chain(given).chain(ignored).chain(arrays);
        all.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_sides_from_one_that_can_be_counted() {
        let size: Size = "4096x1000".parse().unwrap();
        assert_eq!((size.0.as_slice(), size.elements()), (&[4096, 1000][..], 4_096_000));
        assert_eq!(size.to_string(), "4096x1000");
        for wrong in ["", "x", "4x", "4x0", "-1", "4,5", "99999999999x99999999999"] {
            assert!(wrong.parse::<Size>().unwrap_err().contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_variant_is_what_is_not_the_default() {
        let plain = Case::plain("cross_entropy", Size(vec![4, 3]));
        assert_eq!(plain.variant(), "");
        let options = vec!["label_smoothing=0.1".to_owned()];
        let case = Case { options, with: vec!["weight".into()], ignored: true, ..plain };
        assert_eq!(case.variant(), "label_smoothing=0.1 +weight ignored");
        let problem = case.problem(&case.loss().unwrap()).unwrap();
        let names: Vec<_> = problem.numbers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["input", "weight"]);
        assert_eq!(problem.labels.len(), 1);
    }

    #[test]
    fn labels_are_ignored_only_where_that_is_asked() {
        let plain = Case::plain("cross_entropy", Size(vec![1000, 3]));
        for ignored in [false, true] {
            let case = Case { ignored, ..plain.clone() };
            let labels = &case.problem(&case.loss().unwrap()).unwrap().labels[0].1.data;
            let without = labels.iter().filter(|&&label| label == -100).count();
            assert_eq!(without > 0, ignored);
            assert!(without < 250, "an eighth, not {without} of 1000");
        }
    }
}
