//! Softmax regression on the digits, from zero weights: the gradient of the loss in the logits is all it needs.

use lossmith_core::Error;
use lossmith_core::loss::cross_entropy;
use lossmith_ndarray::{Inputs, NdArray, indices};
use ndarray::{Array1, Array2, Axis, Ix2};

/// Images and their digits.
#[derive(Clone, Debug)]
pub struct Digits {
    /// Pixels from 0 to 1, an image a row.
    pub images: Array2<f32>,
    /// The digit of each image.
    pub labels: Array1<i64>,
}

macro_rules! file {
    ($name:literal, $type:ty) => {{
        let bytes: &[u8] = include_bytes!(concat!("../../../data/digits/", $name, ".npy"));
        npyz::NpyFile::new(bytes)?.into_vec::<$type>()?
    }};
}

/// The digits in two parts: to train on, and held out.
///
/// # Errors
/// If a file of the data is not what it was.
pub fn digits() -> Result<[Digits; 2], Box<dyn std::error::Error>> {
    let pixels = file!("images", u8).into_iter().map(|pixel| f32::from(pixel) / 16.0);
    let labels = Array1::from(file!("labels", i64));
    let images = Array2::from_shape_vec((labels.len(), 64), pixels.collect())?;
    let mut held_out = vec![false; labels.len()];
    for index in file!("test_index", i64) {
        held_out[usize::try_from(index)?] = true;
    }
    let part = |wanted: bool| {
        let rows: Vec<usize> = (0..held_out.len()).filter(|&row| held_out[row] == wanted).collect();
        Digits { images: images.select(Axis(0), &rows), labels: labels.select(Axis(0), &rows) }
    };
    Ok([part(false), part(true)])
}

/// A linear classifier.
#[derive(Clone, Debug)]
pub struct Model {
    weight: Array2<f32>,
    bias: Array1<f32>,
}

impl Model {
    /// All weights zero.
    #[must_use]
    pub fn zero() -> Self {
        Self { weight: Array2::zeros((64, 10)), bias: Array1::zeros(10) }
    }

    fn logits(&self, images: &Array2<f32>) -> Array2<f32> {
        images.dot(&self.weight) + &self.bias
    }

    /// How many digits it gets right.
    #[must_use]
    pub fn correct(&self, digits: &Digits) -> usize {
        let logits = self.logits(&digits.images);
        let right = |(row, &label): (ndarray::ArrayView1<'_, f32>, &i64)| {
            let best = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b]));
            best.and_then(|best| i64::try_from(best).ok()) == Some(label)
        };
        logits.rows().into_iter().zip(&digits.labels).filter(|&pair| right(pair)).count()
    }

    /// One step of gradient descent with Nesterov's momentum; the loss before it.
    ///
    /// # Errors
    /// What the loss reports.
    fn step(&mut self, ahead: &mut Self, digits: &Digits, momentum: f32) -> Result<f32, Error> {
        const RATE: f32 = 1.0;
        const DECAY: f32 = 1.0 / 1347.0;
        let logits = ahead.logits(&digits.images);
        let inputs =
            Inputs::new().tensor("input", &logits).labels("target", indices(&digits.labels));
        let loss = cross_entropy().value_and_grad(&NdArray::new(), &inputs)?;
        let Some(grad) =
            loss.grad("input").and_then(|g| g.view().into_dimensionality::<Ix2>().ok())
        else {
            return Ok(f32::NAN);
        };
        let next = Self {
            weight: &ahead.weight - (digits.images.t().dot(&grad) + &ahead.weight * DECAY) * RATE,
            bias: &ahead.bias - grad.sum_axis(Axis(0)) * RATE,
        };
        ahead.weight = &next.weight + (&next.weight - &self.weight) * momentum;
        ahead.bias = &next.bias + (&next.bias - &self.bias) * momentum;
        *self = next;
        Ok(loss.value.sum())
    }

    /// Trains on all the digits `epochs` times, telling the epoch and the loss.
    ///
    /// # Errors
    /// What the loss reports.
    pub fn train(
        &mut self,
        digits: &Digits,
        epochs: usize,
        mut tell: impl FnMut(usize, f32, &Self),
    ) -> Result<(), Error> {
        let mut ahead = self.clone();
        for epoch in 0..epochs {
            let loss = self.step(&mut ahead, digits, 0.9)?;
            tell(epoch + 1, loss, self);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gets_as_many_right_as_scikit_learn() {
        let [train, held_out] = digits().unwrap();
        let mut model = Model::zero();
        let mut losses = Vec::new();
        model.train(&train, 160, |_, loss, _| losses.push(loss)).unwrap();
        assert!((losses[0] - 10_f32.ln()).abs() < 1e-6, "{}", losses[0]);
        assert!(losses[159] < 0.13, "{}", losses[159]);
        let reached: f64 = model.correct(&held_out) as f64 / held_out.labels.len() as f64;
        // accuracy.json: 436 of 450.
        assert!((reached - 436.0 / 450.0).abs() <= 0.005, "{reached}");
    }
}
