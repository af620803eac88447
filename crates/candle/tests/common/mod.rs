//! A loss through candle's autodiff, judged on host arrays.

use candle_core::{DType, Device, Tensor, Var};
use lossmith_candle::{Engine, Forward as _, Inputs};
use lossmith_conformance::Runner;
use lossmith_core::loss::Definition;
use lossmith_core::{Dense, Error, Evaluation, Loss};
use std::cell::RefCell;

/// An engine in candle's autodiff: every argument with a gradient is a `Var`, and the cotangent candle's own.
#[derive(Debug)]
pub(crate) struct Autodiff {
    engine: Engine,
    dtype: DType,
}

impl Autodiff {
    pub(crate) fn new(engine: Engine, dtype: DType) -> Self {
        Self { engine, dtype }
    }
}

fn dense(tensor: &Tensor) -> Result<Dense, Error> {
    let data = tensor.to_dtype(DType::F64).and_then(|x| x.flatten_all()?.to_vec1());
    Dense::new(tensor.dims(), data.map_err(Error::backend)?)
}

/// The loss's own error, so that one that is the right answer is seen as it.
fn own(error: candle_core::Error) -> Error {
    let candle_core::Error::Io(error) = error else { return Error::backend(error) };
    let inner = error.into_inner().unwrap().downcast::<Error>();
    *inner.unwrap()
}

impl Runner for Autodiff {
    fn value_and_grad(
        &self,
        loss: &Loss<Box<dyn Definition>>,
        inputs: &lossmith_core::Inputs<Dense>,
    ) -> Result<Evaluation<Dense>, Error> {
        let all = RefCell::new(Vec::new());
        let mut names = inputs.names().zip(inputs.arrays()).filter(|(_, array)| array.is_some());
        let own_arguments = loss.entry().arguments;
        let to_candle = |array: &Dense| {
            let (name, _) = names.next().unwrap();
            let tensor = Tensor::from_slice(array.data(), array.shape(), &Device::Cpu);
            let tensor = tensor.and_then(|x| x.to_dtype(self.dtype)).map_err(Error::backend)?;
            let argument = own_arguments.iter().find(|argument| argument.name == name);
            let tensor = if argument.is_some_and(|argument| argument.differentiable) {
                Var::from_tensor(&tensor).map_err(Error::backend)?.into_inner()
            } else {
                tensor
            };
            all.borrow_mut().push((name.to_owned(), tensor.clone()));
            Ok(tensor)
        };
        let given: Inputs = inputs.try_map(to_candle)?;
        let all = all.into_inner();
        let cotangent = all.iter().find(|(name, _)| name == "grad_output").map(|(_, x)| x.clone());
        let value = loss.on(self.engine.clone()).call(&given.without("grad_output"));
        let value = value.map_err(own)?;
        let pulled = match &cotangent {
            Some(cotangent) => (&value * cotangent).and_then(|x| x.sum_all()),
            None => Ok(value.clone()),
        };
        let grads = pulled.and_then(|x| x.backward()).map_err(own)?;
        let tracked = all.iter().filter(|(_, tensor)| tensor.is_variable());
        let grads = tracked.map(|(name, tensor)| {
            // candle has none where nothing depends on the argument.
            let zeros = || Dense::new(tensor.dims(), vec![0.0; tensor.elem_count()]);
            Ok((name.clone(), grads.get(tensor).map_or_else(zeros, dense)?))
        });
        Ok(Evaluation { value: dense(&value)?, grads: grads.collect::<Result<_, Error>>()? })
    }
}
