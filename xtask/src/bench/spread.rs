//! Order statistics.

/// Of some samples, in their own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

impl Spread {
    /// `None` of nothing. A quantile is the smallest sample that this share of the samples does not exceed.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let mut samples = samples.to_vec();
        samples.sort_by(f64::total_cmp);
        let (min, max) = (*samples.first()?, *samples.last()?);
        let quantile = |percent: usize| samples[(samples.len() * percent).div_ceil(100).max(1) - 1];
        Some(Self { min, median: quantile(50), p99: quantile(99), max })
    }

    /// The median of some samples; `None` of nothing.
    pub(super) fn median(samples: &[f64]) -> Option<f64> {
        Self::of(samples).map(|spread| spread.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let cases: [(&[f64], [f64; 4]); 3] = [
            (&[7.0], [7.0, 7.0, 7.0, 7.0]),
            (&[4.0, 1.0, 3.0, 2.0], [1.0, 2.0, 4.0, 4.0]),
            (&[-5.0, 9.0, 0.0], [-5.0, 0.0, 9.0, 9.0]),
        ];
        for (samples, [min, median, p99, max]) in cases {
            assert_eq!(Spread::of(samples), Some(Spread { min, median, p99, max }), "{samples:?}");
        }
        assert_eq!(Spread::of(&[]), None);
    }
}
