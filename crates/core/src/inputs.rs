//! What a caller hands to a loss, and what comes back.

use crate::labels::Indices;

/// The arguments of a loss by name, in a library's own arrays.
#[derive(Clone, Debug)]
pub struct Inputs<A> {
    pub(crate) given: Vec<(String, Input<A>)>,
    /// The names of those that no gradient is wanted of.
    pub(crate) constant: Vec<String>,
}

/// One argument.
#[derive(Clone, Debug)]
pub enum Input<A> {
    /// Numbers, in a library's own array.
    Numbers(A),
    /// Class indices.
    Indices(Indices),
}

impl<A> Default for Inputs<A> {
    fn default() -> Self {
        Self { given: Vec::new(), constant: Vec::new() }
    }
}

impl<A> Inputs<A> {
    /// No arguments yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With an argument of numbers, by PyTorch's name.
    #[must_use]
    pub fn tensor(mut self, name: &str, array: impl Into<A>) -> Self {
        self.given.push((name.into(), Input::Numbers(array.into())));
        self
    }

    /// With an argument, given before or after, that no gradient is wanted of: it is not computed.
    #[must_use]
    pub fn constant(mut self, name: &str) -> Self {
        self.constant.push(name.into());
        self
    }

    /// Without an argument.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.given.retain(|(given, _)| given != name);
        self
    }

    /// The arguments with their names, in the order given.
    #[must_use]
    pub fn given(&self) -> &[(String, Input<A>)] {
        &self.given
    }

    /// The same arguments in other arrays.
    ///
    /// # Errors
    /// The first one that the conversion gives.
    pub fn try_map<B, E>(&self, mut to: impl FnMut(&A) -> Result<B, E>) -> Result<Inputs<B>, E> {
        let given = self.given.iter().map(|(name, input)| {
            let input = match input {
                Input::Numbers(array) => Input::Numbers(to(array)?),
                Input::Indices(indices) => Input::Indices(indices.clone()),
            };
            Ok((name.clone(), input))
        });
        Ok(Inputs { given: given.collect::<Result<_, E>>()?, constant: self.constant.clone() })
    }

    /// With an argument of class indices, by PyTorch's name.
    #[must_use]
    pub fn labels(mut self, name: &str, indices: impl Into<Indices>) -> Self {
        self.given.push((name.into(), Input::Indices(indices.into())));
        self
    }
}

/// The value of a loss and its gradients, in the library's own arrays.
#[derive(Clone, Debug)]
pub struct Evaluation<O> {
    /// The value: one number of shape `()`, or the unreduced loss.
    pub value: O,
    /// The gradient of each differentiable argument that was given and is not constant, with the argument's shape.
    pub grads: Vec<(String, O)>,
}

impl<O> Evaluation<O> {
    /// `value` and each `grad.ARGUMENT`.
    pub fn outputs(&self) -> impl Iterator<Item = (String, &O)> {
        let grads = self.grads.iter().map(|(name, grad)| (format!("grad.{name}"), grad));
        std::iter::once(("value".to_owned(), &self.value)).chain(grads)
    }

    /// The gradient in that argument, if it was given and has one.
    #[must_use]
    pub fn grad(&self, argument: &str) -> Option<&O> {
        self.grads.iter().find(|(name, _)| name == argument).map(|(_, grad)| grad)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;
    use crate::dense::Dense;
    use crate::error::Error;
    use crate::loss::mse;
    use crate::reference::Reference;

    fn names<A>(inputs: &Inputs<A>) -> Vec<&str> {
        inputs.given().iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn what_is_constant_has_no_gradient_and_what_is_taken_out_is_gone() {
        let inputs = Inputs::<Dense>::new().tensor("input", 3.0).tensor("target", 1.0);
        let grads = |inputs: &Inputs<Dense>| {
            let evaluation = mse().value_and_grad(&Reference, inputs).unwrap();
            evaluation.grads.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(grads(&inputs), ["input", "target"]);
        assert_eq!(grads(&inputs.clone().constant("target")), ["input"]);
        assert_eq!(names(&inputs.without("input")), ["target"]);
    }

    #[test]
    fn other_arrays_have_the_same_names() {
        let inputs = Inputs::<Dense>::new().tensor("input", 3.0).labels("target", [1]);
        let lengths = inputs.try_map(|array| Ok::<_, Error>(array.data().len())).unwrap();
        assert_eq!(names(&lengths), ["input", "target"]);
        assert_eq!(lengths.names().collect::<Vec<_>>(), ["input", "target"]);
        assert!(matches!(lengths.given()[0].1, Input::Numbers(1)));
        assert!(inputs.try_map(|_| Err::<Dense, _>("no")).is_err());
    }
}
