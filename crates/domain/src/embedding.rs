//! Texts as vectors: what means nearly the same points nearly the same way.

use async_trait::async_trait;

use crate::{fault::Fault, usage::Meter};

/// Which side of a search a text is on. Some models are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Query,
    Passage,
}

/// A direction: the vector of a text, of length one.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector(Vec<f32>);

impl Vector {
    /// `None` where the numbers point nowhere: there are none, they are all zero, or one is no number.
    pub fn new(mut numbers: Vec<f32>) -> Option<Self> {
        let length = numbers.iter().map(|n| f64::from(*n).powi(2)).sum::<f64>().sqrt();
        if !length.is_finite() || length <= f64::MIN_POSITIVE {
            return None;
        }
        numbers.iter_mut().for_each(|n| *n = (f64::from(*n) / length) as f32);
        Some(Self(numbers))
    }

    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The cosine of the angle between two vectors, -1.0..=1.0; 0 between vectors of different models.
    pub fn cosine(&self, other: &Self) -> f32 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }
}

/// Makes vectors of texts. Every call to a paid service is recorded in the meter.
#[async_trait]
pub trait Embedder: Send + Sync + std::fmt::Debug {
    /// What a vector depends on besides the text: the model.
    fn version(&self) -> String;

    /// A text as the model wants it: cut to what it can read, with what marks the side.
    fn text(&self, side: Side, text: &str) -> String;

    /// The most texts of one call, at least one.
    fn batch(&self) -> usize;

    /// One call. One vector for each of the texts, which are as [`Embedder::text`] made them.
    async fn embed(&self, texts: &[String], meter: &Meter) -> Result<Vec<Vector>, Fault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_directions() {
        let vector = |numbers: &[f32]| Vector::new(numbers.to_vec());
        let (a, b) = (vector(&[3.0, 4.0]).expect("a direction"), vector(&[4.0, 3.0]).expect("a direction"));
        assert_eq!(a.as_slice(), [0.6, 0.8]);
        assert!((a.cosine(&b) - 0.96).abs() < 1e-6);
        assert!((a.cosine(&vector(&[1.0]).expect("a direction"))).abs() < f32::EPSILON);
        for nowhere in [&[][..], &[0.0, 0.0], &[f32::NAN, 1.0], &[f32::INFINITY]] {
            assert_eq!(vector(nowhere), None);
        }
        let huge = vector(&[f32::MAX, f32::MAX]).expect("a direction");
        assert!((huge.as_slice()[0] - 0.707_106_77).abs() < 1e-6);
    }
}
