//! Stage 3: the model answers each image.

use super::decode::Decoded;
use super::interrupt::{Listener, Staged, Step, report};
use super::perturb::{Variant, perturb};
use crate::setup::Setup;
use candle_core::Tensor;
use hard_imagenet_images::Pixels;
use hard_imagenet_runs::SaliencyInput;

/// What the model answered for one image.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) prediction: Option<u32>,
    /// The number of classes that come before the label, among all classes of the head.
    pub(crate) rank: Option<u32>,
    /// The same among the classes of the dataset.
    pub(crate) rank_within: Option<u32>,
    /// Softmax of the label.
    pub(crate) confidence: Option<f32>,
    /// Softmax of the prediction.
    pub(crate) certainty: Option<f32>,
}

/// What explaining needs to know about the unchanged image of a sample, so that nothing is computed twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct CleanAnswer {
    pub(crate) prediction: Option<u32>,
    /// The normalized input `(1, 3, H, W)`, if an explainer or a faithfulness score will ask for it.
    pub(crate) input: Option<Tensor>,
}

/// The answers for a part.
pub(crate) struct Answers {
    /// One for each variant.
    pub(crate) all: Vec<Answer>,
    /// One for each decoded sample.
    pub(crate) clean: Vec<CleanAnswer>,
}

/// Asks the model about all variants. While it computes a batch, the images of the next batch are made.
pub(crate) fn answer(
    setup: &Setup<'_>,
    decoded: &[Decoded],
    variants: &[Variant],
    listener: &mut Listener<'_>,
) -> Staged<Answers> {
    let keep_input = keeps_input(setup);
    let mut answers =
        Answers { all: Vec::with_capacity(variants.len()), clean: vec![CleanAnswer::default(); decoded.len()] };
    let mut batches = variants.chunks(setup.batch_size);
    let mut current = batches.next().map(|batch| (batch, perturb(setup, decoded, batch)));
    while let Some((batch, images)) = current {
        let following = batches.next();
        let mut next = None;
        // The model runs on this thread, not in the pool, because a device's context may belong to this thread.
        let answered = rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = following.map(|batch| (batch, perturb(setup, decoded, batch))));
            answer_batch(setup, batch, &images)
        });
        let (of_batch, input) = answered?;
        for (row, (variant, answer)) in batch.iter().zip(&of_batch).enumerate() {
            if setup.clean() == Some(variant.condition) {
                let input = keep_input.then(|| input.narrow(0, row, 1)?.force_contiguous()).transpose()?;
                answers.clean[variant.at] = CleanAnswer { prediction: answer.prediction, input };
            }
        }
        answers.all.extend(of_batch);
        report(listener, Step::Answered(batch.len()))?;
        current = next;
    }
    Ok(answers)
}

/// Whether a later stage reads the normalized clean images.
fn keeps_input(setup: &Setup<'_>) -> bool {
    let normalized = setup.description.quirks.saliency_input == SaliencyInput::Normalized;
    !setup.explainers.is_empty() && (normalized || !setup.description.protocol.faithfulness.is_empty())
}

/// One forward pass. Returns the answers and the normalized input.
fn answer_batch(setup: &Setup<'_>, batch: &[Variant], images: &[Pixels]) -> crate::Result<(Vec<Answer>, Tensor)> {
    let x = setup.model.normalize(&setup.model.batch(images)?)?;
    let logits = setup.model.forward(&x)?.to_vec2::<f32>()?;
    let answers = batch.iter().zip(&logits).map(|(variant, logits)| judge(setup, variant, logits)).collect();
    Ok((answers, x))
}

/// Compares the logits of one image with its label.
fn judge(setup: &Setup<'_>, variant: &Variant, logits: &[f32]) -> Answer {
    let (prediction, label) = (setup.description.quirks.prediction(logits), setup.label(variant.sample));
    Answer {
        prediction,
        rank: rank(logits, label, 0..logits.len() as u32),
        rank_within: setup.within().and_then(|classes| rank(logits, label, classes.iter().copied())),
        confidence: softmax_at(logits, label as usize),
        certainty: prediction.and_then(|prediction| softmax_at(logits, prediction as usize)),
    }
}

/// Counts the classes that come before the label: those with a higher logit, and of equal logits those with a lower
/// number. `None` if a logit is not a number.
fn rank(logits: &[f32], label: u32, mut classes: impl Iterator<Item = u32>) -> Option<u32> {
    let logit = |class: u32| logits.get(class as usize).copied().filter(|logit| !logit.is_nan());
    let own = logit(label)?;
    classes.try_fold(0, |before, class| {
        let other = logit(class)?;
        Some(before + u32::from(other > own || (other == own && class < label)))
    })
}

/// Returns the softmax of one class, or `None` if it is not a number.
fn softmax_at(logits: &[f32], class: usize) -> Option<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp = |logit: f32| f64::from(logit - highest).exp();
    let sum: f64 = logits.iter().copied().map(exp).sum();
    let share = exp(*logits.get(class)?) / sum;
    (!share.is_nan()).then_some(share as f32)
}

#[cfg(test)]
mod tests {
    use super::{rank, softmax_at};

    #[test]
    fn rank_counts_the_classes_before_the_label() {
        let check = |logits: &[f32], label, expected: Option<u32>| {
            assert_eq!(rank(logits, label, 0..logits.len() as u32), expected, "{logits:?}");
        };
        check(&[1.0, 3.0, 2.0], 1, Some(0));
        check(&[1.0, 3.0, 2.0], 0, Some(2));
        // Of equal logits the first is predicted.
        check(&[2.0, 2.0, 2.0], 0, Some(0));
        check(&[2.0, 2.0, 2.0], 2, Some(2));
        check(&[1.0, f32::NAN], 0, None);
        check(&[1.0, f32::NAN], 1, None);
        check(&[1.0], 3, None);
        assert_eq!(rank(&[9.0, 1.0, 2.0], 1, [1, 2].into_iter()), Some(1), "among some classes");
    }

    #[test]
    fn softmax_of_one_class() {
        let check = |logits: &[f32], class, expected: Option<f32>| {
            assert_eq!(softmax_at(logits, class), expected, "{logits:?}");
        };
        check(&[0.0, 0.0], 1, Some(0.5));
        check(&[1000.0, 0.0], 0, Some(1.0));
        check(&[3f32.ln(), 0.0], 0, Some(0.75));
        check(&[f32::NAN, 0.0], 1, None);
        check(&[f32::NEG_INFINITY; 2], 0, None);
        check(&[0.0], 3, None);
    }
}
