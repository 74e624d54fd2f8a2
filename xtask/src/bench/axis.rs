//! The axis of a plot: where a value lies, and which values are written below.

use super::report::Scale;

/// From which value to which, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    /// Between two ticks of a linear one.
    step: f64,
}

impl Axis {
    /// One on which all of `values` have room. A linear one has zero on it, because bars begin there.
    pub(super) fn over(values: impl Iterator<Item = f64>, scale: Scale) -> Self {
        let values: Vec<f64> = values.filter(|value| scale == Scale::Linear || *value > 0.0).collect();
        let max = values.iter().copied().fold(0.0, f64::max);
        let min = values.iter().copied().fold(max, f64::min);
        match scale {
            Scale::Logarithmic if max > 0.0 => {
                let (from, to) = (round_down(min), round_up(max));
                Self { scale, from, to: if to > from { to } else { from * 10.0 }, step: 0.0 }
            }
            Scale::Logarithmic => Self { scale, from: 0.1, to: 1.0, step: 0.0 },
            Scale::Linear => {
                let to = if max > 0.0 { max } else { 1.0 };
                let from = min.min(0.0);
                let step = step(to - from);
                let (from, to) = ((from / step).floor() * step, (to / step).ceil() * step);
                Self { scale, from, to, step }
            }
        }
    }

    /// 0 at its beginning, 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Logarithmic if value <= 0.0 => 0.0,
            Scale::Logarithmic => (value / self.from).log10() / (self.to / self.from).log10(),
        };
        place.clamp(0.0, 1.0)
    }

    /// Where bars begin.
    pub(super) fn origin(&self) -> f64 {
        self.place(0.0)
    }

    /// The values to be written at it.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let mut ticks = Vec::new();
        match self.scale {
            Scale::Linear => {
                let mut number = (self.from / self.step).round();
                while number * self.step <= self.to + self.step / 2.0 {
                    ticks.push(number * self.step);
                    number += 1.0;
                }
            }
            Scale::Logarithmic => {
                let factors: &[f64] = if (self.to / self.from).log10() < 2.5 { &ROUND } else { &ROUND[..1] };
                let mut power = decade(self.from.log10().floor());
                while power <= self.to * LITTLE {
                    ticks.extend(factors.iter().map(|factor| factor * power));
                    power *= 10.0;
                }
                ticks.retain(|tick| *tick * LITTLE >= self.from && *tick <= self.to * LITTLE);
            }
        }
        ticks
    }
}

/// What round numbers begin with.
const ROUND: [f64; 3] = [1.0, 2.0, 5.0];
/// More than what floating-point numbers err by.
const LITTLE: f64 = 1.000_001;

/// The largest round number that is not above `value`.
fn round_down(value: f64) -> f64 {
    let power = decade(value.log10().floor());
    let below = ROUND.into_iter().map(|factor| factor * power).rfind(|round| *round <= value * LITTLE);
    below.unwrap_or(power)
}

/// The smallest round number that is not below `value`.
fn round_up(value: f64) -> f64 {
    let power = decade(value.log10().floor());
    let above = ROUND.into_iter().map(|factor| factor * power).find(|round| *round * LITTLE >= value);
    above.unwrap_or(10.0 * power)
}

fn decade(exponent: f64) -> f64 {
    10_f64.powf(exponent)
}

/// The smallest round step that cuts a span into eight at most.
fn step(span: f64) -> f64 {
    let power = decade((span / 8.0).log10().floor());
    let fits = |factor: &f64| span / (factor * power) <= 8.0;
    ROUND.into_iter().find(fits).unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(one, other)| (one - other).abs() < 1e-9 * other.abs().max(1.0))
    }

    #[test]
    fn ticks_are_round_and_hold_every_value() {
        let cases: [(&[f64], Scale, &[f64]); 5] = [
            (&[3.0, 37.0], Scale::Linear, &[0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0]),
            (&[-0.5, 1.9], Scale::Linear, &[-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]),
            (&[0.0], Scale::Linear, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
            (&[0.12, 8.0, 0.0], Scale::Logarithmic, &[0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]),
            (&[0.07, 900.0], Scale::Logarithmic, &[0.1, 1.0, 10.0, 100.0, 1000.0]),
        ];
        for (values, scale, expected) in cases {
            let axis = Axis::over(values.iter().copied(), scale);

            let ticks = axis.ticks();

            assert!(close(&ticks, expected), "{values:?}: {ticks:?}");
            assert!(
                values.iter().all(|value| *value <= 0.0 || axis.place(*value) < 1.0 + 1e-9),
                "{values:?}"
            );
            assert!((axis.place(expected[expected.len() - 1]) - 1.0).abs() < 1e-9, "{values:?}");
        }
    }

    #[test]
    fn what_is_not_positive_lies_at_the_beginning_of_a_logarithmic_axis() {
        let axis = Axis::over([1.0, 100.0].into_iter(), Scale::Logarithmic);

        let places = [-5.0, 0.0, 1.0, 10.0, 100.0].map(|value| axis.place(value));

        assert!(close(&places, &[0.0, 0.0, 0.0, 0.5, 1.0]), "{places:?}");
    }
}
