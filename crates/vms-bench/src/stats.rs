//! The few numbers that many measurements are told by.

use std::time::Duration;

/// Measured durations, sorted.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    sorted: Vec<Duration>,
}

impl Sample {
    /// Takes the measurements.
    pub fn new(mut values: Vec<Duration>) -> Self {
        values.sort_unstable();
        Self { sorted: values }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The smallest value that `permille` thousandths of all do not exceed (500: the median, 990: p99), in
    /// milliseconds; 0 without any measurement.
    pub fn milliseconds(&self, permille: usize) -> f64 {
        let rank = self.sorted.len().saturating_mul(permille).div_ceil(1000).max(1);
        self.sorted.get(rank.saturating_sub(1)).map_or(0.0, |value| value.as_secs_f64() * 1000.0)
    }

    /// The median, in milliseconds.
    pub fn median(&self) -> f64 {
        self.milliseconds(500)
    }

    /// What 99 of 100 do not exceed, in milliseconds.
    pub fn p99(&self) -> f64 {
        self.milliseconds(990)
    }

    /// The largest, in milliseconds.
    pub fn max(&self) -> f64 {
        self.milliseconds(1000)
    }

    /// Points of a curve: which share of all (0 to 100) was done within which time (milliseconds).
    pub fn curve(&self) -> Vec<(f64, f64)> {
        (1..=999_u16).map(|n| (f64::from(n) / 10.0, self.milliseconds(usize::from(n)))).collect()
    }
}

/// The middle one (the mean of the two in the middle); 0 without any value.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}

/// A count as a number to reckon with. Counts here stay far below 2^32.
pub fn number(count: impl TryInto<u32>) -> f64 {
    count.try_into().map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sample = Sample::new((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!((sample.median(), sample.p99(), sample.max()), (100.0, 198.0, 200.0));
        assert_eq!(Sample::new(vec![Duration::from_millis(7)]).p99(), 7.0);
        assert_eq!(Sample::default().median(), 0.0);
    }

    #[test]
    fn the_median_of_few() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0]), 2.5);
        assert_eq!(median([]), 0.0);
    }
}
