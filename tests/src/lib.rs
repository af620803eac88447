//! Problems for any loss of the catalogue, made from a seed: arguments of the right shapes, inside their domains and
//! away from kinks.

pub mod backends;

use lossmith_core::catalogue::{Argument, Domain, Form, SAMPLE_WEIGHT, Values};
use lossmith_core::loss::Definition;
use lossmith_core::shape::{Given, Layout, Main, count};
use lossmith_core::strided::Slice;
use lossmith_core::{Dense, Error, Format, Indices, Inputs, Loss};
use lossmith_fused::Element;

/// A stream of numbers from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Stream(pub u64);

impl Stream {
    /// The next number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap_or(0) % n.max(1)
    }

    /// The next number between two.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let steps = 1 << 20;
        #[allow(clippy::cast_precision_loss, reason = "20 bits")]
        let fraction = self.below(steps + 1) as f64 / (steps as f64);
        low + (high - low) * fraction
    }
}

/// The arguments of one problem, by name.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// The numbers.
    pub numbers: Vec<(&'static str, Dense)>,
    /// The class indices.
    pub labels: Vec<(&'static str, Indices)>,
}

/// What a problem has beside its main input, where the seed shall not choose.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// The optional arguments it has.
    pub optional: &'a [&'a str],
    /// How many rows a matrix has, where no option says so.
    pub rows: usize,
    /// Whether an eighth of the labels is ignored.
    pub ignored: bool,
}

impl Problem {
    /// The arguments as a loss takes them.
    #[must_use]
    pub fn inputs(&self) -> Inputs<Dense> {
        let mut inputs = Inputs::new();
        for (name, array) in &self.numbers {
            inputs = inputs.tensor(name, array.clone());
        }
        for (name, indices) in &self.labels {
            inputs = inputs.labels(name, indices.clone());
        }
        inputs
    }

    /// The same, each number rounded to a format.
    ///
    /// # Errors
    /// The library's own.
    pub fn slices<T: Element>(&self) -> Result<Inputs<Slice<'static, T>>, Error> {
        self.inputs().try_map(|array| {
            let elements: Vec<T> = array.data().iter().map(|&x| T::of(x)).collect();
            Slice::new(array.shape(), elements)
        })
    }

    /// A problem for the loss: any shape it takes, optional arguments given or not, labels sometimes ignored.
    ///
    /// # Errors
    /// If a shape and its data disagree.
    pub fn random(loss: &Loss<Box<dyn Definition>>, seed: &mut Stream) -> Result<Self, Error> {
        let least = usize::from(loss.definition().layout() != Layout::Pointwise);
        let matrices = |argument: &Argument| matches!(argument.form, Form::Matrix(..));
        let most = if loss.entry().arguments.iter().any(matrices) { 2 } else { 4 };
        if loss.entry().arguments.iter().any(|argument| argument.form == Form::Steps) {
            let mut main = vec![1 + seed.below(6), 1 + seed.below(3), 2 + seed.below(3)];
            if seed.below(3) == 0 {
                main.remove(1);
            }
            return Self::of(loss, &main, seed, None);
        }
        let rank = least + seed.below(most);
        let main: Vec<usize> = (0..rank).map(|_| 1 + seed.below(3)).collect();
        Self::of(loss, &main, seed, None)
    }

    /// A problem for the loss with a main input of that shape, no optional argument, and none that is broadcast.
    ///
    /// # Errors
    /// If a shape and its data disagree.
    pub fn required(
        loss: &Loss<Box<dyn Definition>>,
        main: &[usize],
        seed: &mut Stream,
    ) -> Result<Self, Error> {
        Self::with(loss, main, &Beside { optional: &[], rows: 3, ignored: false }, seed)
    }

    /// A problem for the loss with a main input of that shape and what is said beside it; labels where a loss takes
    /// them, and nothing required is broadcast.
    ///
    /// # Errors
    /// If a shape and its data disagree.
    pub fn with(
        loss: &Loss<Box<dyn Definition>>,
        main: &[usize],
        beside: &Beside<'_>,
        seed: &mut Stream,
    ) -> Result<Self, Error> {
        Self::of(loss, main, seed, Some(beside))
    }

    fn of(
        loss: &Loss<Box<dyn Definition>>,
        main: &[usize],
        seed: &mut Stream,
        beside: Option<&Beside<'_>>,
    ) -> Result<Self, Error> {
        let definition = loss.definition();
        let mut problem = Self::default();
        // Matrices first: what the others are placed against may be made of them.
        let mut shapes: Vec<(&'static Argument, Vec<usize>)> = Vec::new();
        for argument in loss.entry().arguments {
            let first = |name: &str| {
                let found = shapes.iter().find(|(other, _)| other.name == name);
                found.and_then(|(_, shape)| shape.first()).copied().unwrap_or(1)
            };
            let shape = match argument.form {
                Form::Main | Form::Steps | Form::Matrix(..) if shapes.is_empty() => main.to_vec(),
                Form::Matrix(of, by_rows) => {
                    let free = beside.map_or_else(|| 1 + seed.below(3), |beside| beside.rows);
                    let rows = definition.rows(argument.name).unwrap_or(free);
                    vec![rows, if by_rows { first(of) } else { main[main.len() - 1] }]
                }
                Form::PerRow(of) if takes_bias(loss) => vec![first(of)],
                Form::Main
                | Form::Same
                | Form::Rows
                | Form::PerClass
                | Form::Features
                | Form::PerRow(_)
                | Form::Trailing
                | Form::AnySideOne
                | Form::Steps
                | Form::Sequences
                | Form::Lengths
                | Form::Sample
                | Form::Value => continue,
            };
            let data = problem.data(argument, count(&shape), seed);
            problem.numbers.push((argument.name, Dense::new(&shape, data)?));
            shapes.push((argument, shape));
        }
        let steps = main.first().copied().unwrap_or(0);
        let Main { shape: main, classes, .. } = definition.main(&Given(&shapes))?;
        let rank = main.len();
        let class_axis = match definition.layout() {
            Layout::Pointwise => None,
            Layout::Classes => Some(usize::from(rank > 1)),
            Layout::Along(_) | Layout::Over(_) => Some(rank - 1),
        };
        let mut rows = main.clone();
        if matches!(definition.layout(), Layout::Classes | Layout::Over(_)) {
            rows.remove(class_axis.unwrap_or(0));
        }
        let classes = classes.or(class_axis.map(|axis| main[axis])).unwrap_or(1);
        for argument in loss.entry().arguments.iter().chain([&SAMPLE_WEIGHT]) {
            let given = |seed: &mut Stream| match beside {
                Some(beside) => beside.optional.contains(&argument.name),
                None => seed.below(2) == 0,
            };
            if argument.optional && !given(seed) {
                continue;
            }
            let labels = match argument.values {
                Values::Numbers => false,
                Values::Indices | Values::IndexSets | Values::Integers => true,
                Values::Either => beside.is_some() || seed.below(2) == 0,
            };
            // The lengths come with their sequences.
            if argument.form == Form::Sequences {
                problem.sequences(loss, steps, &main, beside.is_none(), seed)?;
            }
            if matches!(argument.form, Form::Sequences | Form::Lengths) {
                continue;
            }
            if argument.values == Values::IndexSets {
                let inner = class_axis.map_or(1, |axis| count(&main[axis + 1..]));
                // A few labels a row, as data has them, however many classes there are.
                let label = |index: usize| match index / inner.max(1) % classes {
                    0..4 => i64::try_from(seed.below(classes + 1)).unwrap_or(0) - 1,
                    _ => -1,
                };
                let data = (0..count(&main)).map(label).collect();
                problem.labels.push((argument.name, Indices::new(&main, data)?));
                continue;
            }
            if labels {
                let ignored = beside.is_none_or(|beside| beside.ignored);
                let label = |seed: &mut Stream| match seed.below(8) {
                    0 if ignored => definition.ignore_index().unwrap_or(0),
                    _ => i64::try_from(seed.below(classes)).unwrap_or(0),
                };
                let data = (0..count(&rows)).map(|_| label(seed)).collect();
                problem.labels.push((argument.name, Indices::new(&rows, data)?));
                continue;
            }
            let shape = match argument.form {
                Form::Main
                | Form::Steps
                | Form::Sequences
                | Form::Lengths
                | Form::Matrix(..)
                | Form::PerRow(_) => continue,
                Form::Same => main.clone(),
                Form::Rows | Form::Value => rows.clone(),
                Form::PerClass => vec![main[class_axis.unwrap_or(0)]],
                Form::Features => main[class_axis.unwrap_or(0)..].to_vec(),
                Form::Trailing => {
                    let mut shape = main[seed.below(rank + 1)..].to_vec();
                    let one = |seed: &mut Stream| seed.below(3) == 0;
                    shape.iter_mut().for_each(|side| *side = if one(seed) { 1 } else { *side });
                    shape
                }
                Form::AnySideOne if beside.is_none() => match seed.below(4) {
                    0 => Vec::new(),
                    1 if rank > 0 => main[..rank - 1].to_vec(),
                    2 if rank > 0 => {
                        let mut shape = main.clone();
                        shape[seed.below(rank)] = 1;
                        shape
                    }
                    _ => main.clone(),
                },
                Form::AnySideOne => main.clone(),
                Form::Sample => rows[..seed.below(rows.len() + 1)].to_vec(),
            };
            let data = problem.data(argument, count(&shape), seed);
            problem.numbers.push((argument.name, Dense::new(&shape, data)?));
        }
        Ok(problem)
    }

    /// Sequences that have alignments, for samples of so many steps: padded or one after the other, all alike or not.
    fn sequences(
        &mut self,
        loss: &Loss<Box<dyn Definition>>,
        steps: usize,
        main: &[usize],
        vary: bool,
        seed: &mut Stream,
    ) -> Result<(), Error> {
        let (rows, classes) = match *main {
            [rows, classes] => (rows, classes),
            _ => (1, count(main)),
        };
        let alone = main.len() == 1;
        let blank = loss.definition().blank().and_then(|blank| usize::try_from(blank).ok());
        // A label and its like need a blank between them.
        let sample = |seed: &mut Stream| {
            let own = steps - seed.below(steps.min(2));
            (own, seed.below(own.div_ceil(2) + 1))
        };
        let mut samples: Vec<_> = (0..rows).map(|_| sample(seed)).collect();
        let alike = alone || vary && seed.below(4) == 0;
        if alike {
            samples = vec![samples[0]; rows];
        }
        let flat = !alone && vary && seed.below(2) == 0;
        let longest = samples.iter().map(|&(_, length)| length).max().unwrap_or(0);
        let width = longest + if vary { seed.below(2) } else { 0 };
        let mut labels = Vec::new();
        for &(_, length) in &samples {
            let label = |_| match seed.below(classes) {
                label if Some(label) == blank => (label + 1) % classes,
                label => label,
            };
            labels.extend((0..length).map(label).map(|label| i64::try_from(label).unwrap_or(0)));
            // What pads is no label.
            labels.extend((length..if flat { length } else { width }).map(|_| -7));
        }
        let shape = if alone || flat { vec![labels.len()] } else { vec![rows, width] };
        let numbers = |of: fn(&(usize, usize)) -> usize| {
            let shape = if alike { vec![] } else { vec![rows] };
            let data = samples.iter().take(count(&shape)).map(of);
            Indices::new(&shape, data.map(|x| i64::try_from(x).unwrap_or(0)).collect())
        };
        self.labels.push(("targets", Indices::new(&shape, labels)?));
        self.labels.push(("input_lengths", numbers(|sample| sample.0)?));
        self.labels.push(("target_lengths", numbers(|sample| sample.1)?));
        Ok(())
    }

    /// The problem with things gone wrong: infinities, NaN and zeros among the numbers, labels out of range, other
    /// shapes, empty ones too, and arguments left out.
    ///
    /// # Errors
    /// If a shape and its data disagree.
    pub fn disturbed(mut self, seed: &mut Stream) -> Result<Self, Error> {
        const NUMBERS: [f64; 9] =
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.0, -40.0, 1e4, 1e-3];
        const LABELS: [i64; 6] = [-100, -1, 0, 1, 3, i64::MAX];
        for _ in 0..1 + seed.below(3) {
            let place = seed.below(self.numbers.len() + self.labels.len());
            let kind = seed.below(8);
            if let Some((_, array)) = self.numbers.get_mut(place) {
                let mut data = array.data().to_vec();
                match kind {
                    0 => {
                        let shape: Vec<usize> = (0..seed.below(4)).map(|_| seed.below(4)).collect();
                        *array = Dense::new(&shape, vec![0.5; count(&shape)])?;
                    }
                    1 if seed.below(4) == 0 => {
                        self.numbers.remove(place);
                        if self.numbers.is_empty() {
                            return Ok(self);
                        }
                    }
                    _ if !data.is_empty() => {
                        let index = seed.below(data.len());
                        data[index] = NUMBERS[seed.below(NUMBERS.len())];
                        *array = Dense::new(array.shape(), data)?;
                    }
                    _ => {}
                }
            } else {
                let (_, labels) = &mut self.labels[place - self.numbers.len()];
                if kind == 0 {
                    let n = seed.below(4);
                    *labels = Indices::new(&[n], vec![0; n])?;
                } else if !labels.data.is_empty() {
                    let index = seed.below(labels.data.len());
                    labels.data[index] = LABELS[seed.below(LABELS.len())];
                }
            }
        }
        Ok(self)
    }

    /// The problem with its numbers rounded to a format.
    #[must_use]
    pub fn rounded(mut self, format: Format) -> Self {
        self.numbers.iter_mut().for_each(|(_, array)| *array = array.map(|x| format.round(x)));
        self
    }

    fn data(&self, argument: &Argument, n: usize, seed: &mut Stream) -> Vec<f64> {
        let base =
            self.numbers.iter().find(|(name, _)| *name == "input").map(|(_, input)| input.data());
        let number = |index: usize, seed: &mut Stream| match (argument.domain, argument.form, base)
        {
            (Some(Domain { ends: true, low, high, .. }), ..) => [low, high][seed.below(2)],
            (Some(Domain { low, high: f64::INFINITY, .. }), ..) => seed.between(low + 0.2, 3.0),
            (Some(Domain { low, high, .. }), ..) => seed.between(low + 0.05, high - 0.05),
            // Kinks of pointwise losses are at differences of 0 and ±β: stay off both, β being 0, 0.1, 1 or 3.
            (None, Form::Same, Some(base)) => {
                let gap = [(0.2, 0.8), (1.2, 2.5)][seed.below(2)];
                let sign = [1.0, -1.0][seed.below(2)];
                base[index] + sign * seed.between(gap.0, gap.1)
            }
            (None, Form::Main | Form::Steps | Form::Same, _) => seed.between(-3.0, 3.0),
            (
                None,
                Form::Rows
                | Form::Value
                | Form::PerClass
                | Form::Features
                | Form::Matrix(..)
                | Form::PerRow(_)
                | Form::Trailing
                | Form::AnySideOne
                | Form::Sequences
                | Form::Lengths
                | Form::Sample,
                _,
            ) => seed.between(0.25, 2.0),
        };
        (0..n).map(|index| number(index, seed)).collect()
    }
}

/// Whether the loss is set to take the bias that it may have.
fn takes_bias(loss: &Loss<Box<dyn Definition>>) -> bool {
    loss.clone().options().iter().any(|[name, value, ..]| name == "head_bias" && value == "true")
}

/// Other options than the defaults for the loss, in their ranges.
///
/// # Errors
/// If an option is not what the loss says it is.
pub fn with_options(
    mut loss: Loss<Box<dyn Definition>>,
    seed: &mut Stream,
) -> Result<Loss<Box<dyn Definition>>, Error> {
    for [name, _, expects, _] in loss.clone().options() {
        let choices: Vec<String> = match expects.as_str() {
            "a number from 0" => ["0", "0.1", "1", "3"].map(String::from).to_vec(),
            "a number from 0 to 1" => ["0", "0.1", "1"].map(String::from).to_vec(),
            "a number from 0, or none" => ["100", "none"].map(String::from).to_vec(),
            "an integer" if name == "ignore_index" => {
                ["-100", "0", "-1"].map(String::from).to_vec()
            }
            "an integer from 0" => ["0", "1"].map(String::from).to_vec(),
            words if words.contains(" | ") => words.split(" | ").map(String::from).collect(),
            _ => continue,
        };
        loss = loss.with(&name, &choices[seed.below(choices.len())])?;
    }
    Ok(loss)
}
