//! The number of images needed to detect a difference.

use crate::distribution::normal_quantile;
use serde::{Deserialize, Serialize};

/// How many images a two-sided test at 5 % needs to detect the observed difference, assuming that it is the true one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagesNeeded {
    /// Images needed to detect it four times out of five.
    pub power_80: u64,
    /// Images needed to detect it nine times out of ten.
    pub power_90: u64,
}

impl ImagesNeeded {
    /// Returns the number for a mean difference over paired images, or `None` if the difference is 0.
    ///
    /// It is `((z_{α/2} + z_β) s / d)²`, rounded up, where `d` is the difference and `s` the standard deviation of the
    /// images' differences. It uses the normal distribution and is therefore one or two images too low for results
    /// below thirty.
    ///
    /// ```
    /// # use hard_imagenet_metrics::ImagesNeeded;
    /// let needed = ImagesNeeded::mean(0.1, 0.5).unwrap();
    /// assert_eq!((needed.power_80, needed.power_90), (197, 263));
    /// assert_eq!(ImagesNeeded::mean(0.0, 0.5), None);
    /// ```
    pub fn mean(difference: f64, deviation: f64) -> Option<Self> {
        Self::of(difference, deviation, deviation)
    }

    /// Returns the number for a difference of two accuracies on the same images by McNemar's test (Connor 1987), or
    /// `None` if the difference is 0.
    ///
    /// It is `(z_{α/2} √ψ + z_β √(ψ − d²))² / d²`, rounded up, where `ψ` is the share of images on which the two
    /// disagree, at least `|d|`.
    ///
    /// ```
    /// # use hard_imagenet_metrics::ImagesNeeded;
    /// let needed = ImagesNeeded::accuracy(0.1, 0.3).unwrap();
    /// assert_eq!((needed.power_80, needed.power_90), (234, 312));
    /// ```
    ///
    /// R. J. Connor: Sample size for testing differences in proportions for the paired-sample design. Biometrics 43,
    /// 1987.
    pub fn accuracy(difference: f64, discordance: f64) -> Option<Self> {
        let discordance = discordance.max(difference.abs());
        Self::of(difference, discordance.sqrt(), (discordance - difference * difference).max(0.0).sqrt())
    }

    /// Computes the numbers from the standard deviations without and with the difference.
    fn of(difference: f64, without: f64, with: f64) -> Option<Self> {
        // Two-sided quantiles: 0.6 corresponds to 0.8 on one side.
        let images = |two_sided_power: f64| {
            let sum = normal_quantile(0.95) * without + normal_quantile(two_sided_power) * with;
            let images = (sum / difference).powi(2).ceil();
            images.is_finite().then_some((images as u64).max(1))
        };
        Some(Self { power_80: images(0.6)?, power_90: images(0.8)? }).filter(|_| difference != 0.0)
    }
}
