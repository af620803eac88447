//! The same arrays with other strides: their axes in any order, with gaps and backwards.

use arbitrary::Arbitrary;
use lossmith_core::{Dense, Error, Evaluation, Format, Input, Inputs};
use lossmith_fused::Fused;
use lossmith_ndarray::NdArray;
use lossmith_tests::backends::AnyLoss;
use ndarray::{ArrayBase, ArrayD, Axis, IxDyn, RawData, Slice};

/// How arrays lie in memory.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) struct Layout {
    /// By how many places the axes are turned.
    turned: u8,
    /// Whether there are gaps along an axis, and whether it lies backwards; an axis beyond them is as the first again.
    axes: [(bool, bool); 4],
}

impl Layout {
    fn axis(&self, axis: usize) -> (bool, bool) {
        self.axes[axis % self.axes.len()]
    }

    fn turned(&self, axes: usize) -> usize {
        usize::from(self.turned) % axes.max(1)
    }

    /// The array as it lies there, what is between its elements being NaN.
    fn lay<T: lossmith_ndarray::Element>(&self, array: &ArrayD<T>, gap: T) -> ArrayD<T> {
        let wide = |(axis, &side): (usize, &usize)| side * if self.axis(axis).0 { 2 } else { 1 };
        let mut sides: Vec<_> = array.shape().iter().enumerate().map(wide).collect();
        let turned = self.turned(sides.len());
        sides.rotate_left(turned);
        let mut lies = ArrayD::from_elem(IxDyn(&sides), gap);
        self.seen(lies.view_mut()).assign(array);
        lies
    }

    /// How to look at what lies so.
    fn seen<S: RawData>(&self, lies: ArrayBase<S, IxDyn>) -> ArrayBase<S, IxDyn> {
        let mut axes: Vec<_> = (0..lies.ndim()).collect();
        axes.rotate_right(self.turned(lies.ndim()));
        let mut seen = lies.permuted_axes(axes);
        for axis in 0..seen.ndim() {
            let (gaps, backwards) = self.axis(axis);
            let step = if gaps { 2 } else { 1 };
            seen.slice_axis_inplace(
                Axis(axis),
                Slice::new(0, None, if backwards { -step } else { step }),
            );
        }
        seen
    }
}

/// Value and gradients of a loss on arrays of a layout.
type Run = fn(&AnyLoss, &Inputs<Dense>, &Layout) -> Result<Evaluation<Dense>, Error>;

/// What takes arrays of any strides, in every format that ndarray has.
pub(crate) const STRIDED: [(&str, Format, Run); 4] = [
    ("ndarray", Format::F64, on::<f64>),
    ("ndarray", Format::F32, on::<f32>),
    ("fused", Format::F64, fused::<f64>),
    ("fused", Format::F32, fused::<f32>),
];

fn on<T: lossmith_ndarray::Element>(
    loss: &AnyLoss,
    inputs: &Inputs<Dense>,
    layout: &Layout,
) -> Result<Evaluation<Dense>, Error> {
    let arrays = laid::<T>(inputs, layout)?;
    host(loss.value_and_grad(&NdArray::new(), &seen(&arrays, layout))?)
}

fn fused<T: lossmith_ndarray::Element + lossmith_fused::Element>(
    loss: &AnyLoss,
    inputs: &Inputs<Dense>,
    layout: &Layout,
) -> Result<Evaluation<Dense>, Error> {
    let arrays = laid::<T>(inputs, layout)?;
    host(loss.value_and_grad(&Fused::new(), &seen(&arrays, layout))?)
}

fn laid<T: lossmith_ndarray::Element>(
    inputs: &Inputs<Dense>,
    layout: &Layout,
) -> Result<Inputs<ArrayD<T>>, Error> {
    inputs.try_map(|array| {
        let elements = array.data().iter().map(|&x| T::narrow(x)).collect();
        let plain = ArrayD::from_shape_vec(array.shape(), elements).map_err(Error::backend)?;
        Ok(layout.lay(&plain, T::narrow(f64::NAN)))
    })
}

fn seen<'a, T: Clone>(
    arrays: &'a Inputs<ArrayD<T>>,
    layout: &Layout,
) -> lossmith_ndarray::Inputs<'a, T> {
    arrays.given().iter().fold(Inputs::new(), |inputs, (name, input)| match input {
        Input::Numbers(array) => inputs.tensor(name, layout.seen(array.view())),
        Input::Indices(indices) => inputs.labels(name, indices.clone()),
    })
}

fn host<T: lossmith_ndarray::Element>(
    got: Evaluation<ArrayD<T>>,
) -> Result<Evaluation<Dense>, Error> {
    let dense =
        |array: &ArrayD<T>| Dense::new(array.shape(), array.iter().map(|&x| x.into()).collect());
    let grads = got.grads.iter().map(|(name, grad)| Ok((name.clone(), dense(grad)?)));
    Ok(Evaluation { value: dense(&got.value)?, grads: grads.collect::<Result<_, Error>>()? })
}
