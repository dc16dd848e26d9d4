//! Why: whoever knows neither a character's sound nor its strokes' names can still write it. The ink
//! is painted and read by a network that was taught to read print and handwriting, so strokes may
//! come in any order and run into each other.
//!
//! Refuses: to be needed. Its files are fetched by `scripts/handwriting-model`; without them
//! characters are written in the other ways. What cannot be read has no candidates.
//!
//! The picture has one size, so that each reading is the same work whatever was drawn. In memory the
//! network takes some 25 MB, while it is loaded 38; docs/adr/0016-handwriting.md has the figures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueView, op_registry};
use zeroize::Zeroizing;

use crate::codepoint::is_chinese;
use crate::ink::{HEIGHT, Ink, Picture, WIDTH};

/// Stands between the parts of a name such as 古丽·买买提; the only candidate that is no character.
pub const MIDDLE_DOT: char = '·';

/// The network, as its makers publish it.
pub const MODEL: &str = "handwriting.onnx";
/// What its classes are, one a line.
pub const CHARACTERS: &str = "characters.txt";

/// Reads handwriting.
pub trait Recogniser: Send + Sync {
    /// At most `most` characters for this ink, the likeliest first, none twice; none for no ink.
    fn candidates(&self, ink: &Ink, most: usize) -> Vec<char>;
}

/// Why there is no reader of handwriting.
#[derive(Debug, thiserror::Error)]
pub enum HandwritingError {
    /// The file system says no.
    #[error("{path}: {source}; fill the folder with scripts/handwriting-model")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// The file is no network that can be run.
    #[error(
        "{path} is no network that can be run: {reason}; fetch it again with scripts/handwriting-model --force"
    )]
    Model {
        /// Which file.
        path: PathBuf,
        /// What the runtime said.
        reason: String,
    },
    /// The two files are not of one kind.
    #[error(
        "{path} has {characters} lines where the network has {classes} classes; fetch both again with \
         scripts/handwriting-model --force"
    )]
    Mismatch {
        /// The list of characters.
        path: PathBuf,
        /// Its lines.
        characters: usize,
        /// Classes of the network, without blank and space.
        classes: usize,
    },
}

/// PP-OCRv5's recogniser of lines of text, used for one character.
pub struct PpOcr {
    model: Model,
    input: NodeId,
    output: NodeId,
    // By class; `None` for what is never offered.
    characters: Vec<Option<char>>,
    // One thread: a terminal has a screen to draw meanwhile.
    threads: Arc<ThreadPool>,
}

impl PpOcr {
    /// Loads [`MODEL`] and [`CHARACTERS`] from a folder, and reads a blank page to see that they fit.
    pub fn load(dir: &Path) -> Result<Self, HandwritingError> {
        let path = dir.join(CHARACTERS);
        let lines = std::fs::read_to_string(&path)
            .map_err(|source| HandwritingError::Read { path: path.clone(), source })?;
        // Class 0 is "nothing here"; after the lines comes the space between words.
        let characters: Vec<Option<char>> =
            std::iter::once(None).chain(lines.lines().map(offered)).chain([None]).collect();

        let network = dir.join(MODEL);
        let bytes = std::fs::read(&network)
            .map_err(|source| HandwritingError::Read { path: network.clone(), source })?;
        let wrong = |reason: String| HandwritingError::Model { path: network.clone(), reason };
        let model = options().load(bytes).map_err(|error| wrong(error.to_string()))?;
        let (Some(&input), Some(&output)) = (model.input_ids().first(), model.output_ids().first())
        else {
            return Err(wrong("it has no input or no output".to_owned()));
        };
        let threads = Arc::new(ThreadPool::with_num_threads(1));
        let reader = Self { model, input, output, characters, threads };
        let classes = reader.scores(&Picture::blank()).map_err(wrong)?.len();
        if classes != reader.characters.len() {
            let (characters, classes) = (reader.characters.len() - 2, classes.saturating_sub(2));
            return Err(HandwritingError::Mismatch { path, characters, classes });
        }
        Ok(reader)
    }

    /// Of each class its best score anywhere in the line.
    fn scores(&self, picture: &Picture) -> Result<Zeroizing<Vec<f32>>, String> {
        // Grey in three equal colours, white paper at 1 and ink at -1.
        let plane = picture.pixels().iter().map(|dark| 1.0 - 2.0 * dark);
        let plane: Zeroizing<Vec<f32>> = Zeroizing::new(plane.collect());
        let pixels = Zeroizing::new(plane.repeat(3));
        let view = ValueView::from_shape([1, 3, HEIGHT, WIDTH], pixels.as_slice())
            .map_err(|error| error.to_string())?;
        let options = RunOptions::default().with_thread_pool(Some(self.threads.clone()));
        let inputs = vec![(self.input, view.into())];
        let outputs = self.model.run(inputs, &[self.output], Some(options));
        let output = outputs.map_err(|error| error.to_string())?.into_iter().next();
        let output = output.ok_or("it answers nothing")?;
        let ([_, _, classes], scores) =
            output.into_shape_vec::<f32, 3>().map_err(|error| error.to_string())?;
        let scores = Zeroizing::new(scores);
        let mut best = Zeroizing::new(vec![0.0f32; classes]);
        // A network without classes would otherwise be cut into pieces of nothing.
        for step in scores.chunks_exact(classes.max(1)) {
            for (best, score) in best.iter_mut().zip(step) {
                *best = best.max(*score);
            }
        }
        Ok(best)
    }
}

impl Recogniser for PpOcr {
    fn candidates(&self, ink: &Ink, most: usize) -> Vec<char> {
        if ink.is_empty() {
            return Vec::new();
        }
        // A network that read a blank page reads another page of the same size.
        self.scores(&ink.paint())
            .map_or_else(|_| Vec::new(), |scores| best(&scores, &self.characters, most))
    }
}

/// What is offered for a line of the list.
fn offered(line: &str) -> Option<char> {
    let mut characters = line.chars();
    let one = characters.next().filter(|_| characters.next().is_none())?;
    match one {
        // Dots are told apart by their height in a line, which one character does not have.
        '\u{b7}' | '\u{30fb}' | '\u{2022}' | '\u{2219}' | '\u{22c5}' => Some(MIDDLE_DOT),
        // They look like their twins and would make a name that no register finds.
        '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}' => None,
        _ => Some(one).filter(|one| is_chinese(*one)),
    }
}

/// The characters with the best scores. What scores nothing is left out; equals keep the list's order.
fn best(scores: &[f32], characters: &[Option<char>], most: usize) -> Vec<char> {
    let mut found: Vec<(f32, char)> = scores
        .iter()
        .zip(characters)
        .filter_map(|(score, one)| one.filter(|_| *score > 0.0).map(|one| (*score, one)))
        .collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut list = Vec::with_capacity(most.min(found.len()));
    for (_, one) in found {
        if list.len() == most {
            break;
        }
        if !list.contains(&one) {
            list.push(one);
        }
    }
    list
}

/// Only what this network is made of: the rest of the runtime stays out of the program.
fn options() -> ModelOptions {
    ModelOptions::with_ops(op_registry!(
        Add,
        AveragePool,
        BatchNormalization,
        Concat,
        Conv,
        Div,
        GlobalAveragePool,
        HardSigmoid,
        HardSwish,
        MatMul,
        Mul,
        Pow,
        ReduceMean,
        Relu,
        Reshape,
        Shape,
        Sigmoid,
        Slice,
        Softmax,
        Sqrt,
        Squeeze,
        Sub,
        Transpose,
        Unsqueeze
    ))
}
