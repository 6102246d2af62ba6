//! The decision between processor and GPU, without side effects: from times measured on the visitor's machine, corrected
//! by the times that photos then take.

use beit::config::Config;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Time of a photo on the processor relative to its matrix products, which leave about an eighth to the rest.
const BESIDE_PRODUCTS: f64 = 1.15;

/// Milliseconds that a photo would take on the processor, where one product of the MLP's shape
/// ([`Config::mlp_multiply_accumulates`]) took `product_ms`.
pub fn photo_ms_on_cpu(config: &Config, product_ms: f64) -> f64 {
    let products = config.multiply_accumulates() as f64 / config.mlp_multiply_accumulates() as f64;
    product_ms * products * BESIDE_PRODUCTS
}

/// Milliseconds that a photo takes on each device, measured or estimated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// On the GPU.
    pub gpu_ms: f64,
    /// On the processor.
    pub cpu_ms: f64,
}

impl Times {
    /// Whether a photo takes less time on the GPU. A time that is no number or is infinite loses.
    pub fn is_gpu_faster(self) -> bool {
        self.gpu_ms.is_finite() && (self.gpu_ms < self.cpu_ms || self.cpu_ms.is_nan())
    }

    fn of(self, on_gpu: bool) -> f64 {
        if on_gpu { self.gpu_ms } else { self.cpu_ms }
    }

    fn with(self, on_gpu: bool, ms: f64) -> Self {
        if on_gpu { Self { gpu_ms: ms, ..self } } else { Self { cpu_ms: ms, ..self } }
    }
}

/// The median of so many photos decides whether a forecast is wrong.
const PHOTOS: usize = 5;
/// A forecast is wrong if photos take so many times as long, or as short.
const FACTOR: f64 = 2.0;

/// The predicted time of a photo, compared with the measured ones.
#[derive(Clone, Debug)]
pub struct Forecast {
    times: Times,
    on_gpu: bool,
    recent: VecDeque<f64>,
}

/// A forecast that the measured times contradict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WrongForecast {
    /// The prediction.
    pub predicted_ms: f64,
    /// The median of the last photos.
    pub observed_ms: f64,
    /// With what was observed in its place.
    pub times: Times,
    /// Whether the other device is the better choice by these.
    pub other_device: bool,
}

impl Forecast {
    /// Predicts the time on the device that the network runs on.
    pub fn new(times: Times, on_gpu: bool) -> Self {
        Self { times, on_gpu, recent: VecDeque::new() }
    }

    /// A photo took so long. Returns the correction when the median of the last ones is far from the prediction; from then
    /// on the median is the prediction.
    pub fn observe(&mut self, ms: f64) -> Option<WrongForecast> {
        self.recent.push_back(ms);
        if self.recent.len() > PHOTOS {
            self.recent.pop_front();
        }
        let mut sorted: Vec<f64> = self.recent.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let observed_ms = *sorted.get(PHOTOS / 2).filter(|_| sorted.len() == PHOTOS)?;
        let predicted_ms = self.times.of(self.on_gpu);
        // A forecast that is no number is wrong.
        if observed_ms < predicted_ms * FACTOR && observed_ms > predicted_ms / FACTOR {
            return None;
        }
        self.times = self.times.with(self.on_gpu, observed_ms);
        self.recent.clear();
        let other_device = self.times.is_gpu_faster() != self.on_gpu;
        Some(WrongForecast { predicted_ms, observed_ms, times: self.times, other_device })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large(image_size: usize) -> Config {
        Config { image_size, ..Config::beitv2_large() }
    }

    /// On a processor of 50 · 10⁹ multiply-accumulates a second, BEiTv2-large takes a second and more, whatever the
    /// size of its photos: at 32 bits the counts once wrapped around and said 28 ms.
    #[test]
    fn the_true_size_is_rated_truly() {
        for (image_size, tokens, least_ms) in
            [(224, 197_u64, 1_231.0), (384, 577, 3_600.0), (512, 1025, 6_400.0)]
        {
            let config = large(image_size);
            let product_ms = (tokens * 1024 * 4096) as f64 / 50e6;
            let cpu_ms = photo_ms_on_cpu(&config, product_ms);
            assert!((least_ms..1.35 * least_ms).contains(&cpu_ms), "{image_size} px: {cpu_ms} ms");
            // A GPU of a notebook, of 1.5 · 10¹² a second, is to be had for it.
            let gpu_ms = config.multiply_accumulates() as f64 / 1.5e9;
            assert!(
                Times { gpu_ms, cpu_ms }.is_gpu_faster(),
                "{image_size} px: {gpu_ms} ms against {cpu_ms} ms"
            );
        }
    }

    #[test]
    fn the_faster_device_is_chosen_and_a_time_that_is_none_loses() {
        for (gpu_ms, cpu_ms, gpu) in [
            (60.0, 1200.0, true),
            (1200.0, 60.0, false),
            (60.0, 60.0, false),
            (59.9, 60.0, true),
            (f64::NAN, 60.0, false),
            (f64::INFINITY, f64::INFINITY, false),
            (60.0, f64::NAN, true),
            (60.0, f64::INFINITY, true),
        ] {
            assert_eq!(Times { gpu_ms, cpu_ms }.is_gpu_faster(), gpu, "{gpu_ms} against {cpu_ms}");
        }
    }

    fn observed(forecast: &mut Forecast, photos: &[f64]) -> Vec<WrongForecast> {
        photos.iter().filter_map(|&ms| forecast.observe(ms)).collect()
    }

    #[test]
    fn a_forecast_that_holds_is_left_alone_and_a_slow_photo_is_no_proof() {
        let mut forecast = Forecast::new(Times { gpu_ms: 60.0, cpu_ms: 1200.0 }, true);
        assert_eq!(observed(&mut forecast, &[61.0, 900.0, 59.0, 70.0, 2_000.0, 40.0, 119.0, 31.0]), []);
        // Too few for a median.
        let mut forecast = Forecast::new(Times { gpu_ms: 60.0, cpu_ms: 1200.0 }, true);
        assert_eq!(observed(&mut forecast, &[5_000.0; PHOTOS - 1]), []);
    }

    #[test]
    fn a_wrong_forecast_is_corrected_and_changes_the_device_only_if_the_other_is_better() {
        let times = Times { gpu_ms: 60.0, cpu_ms: 200.0 };
        // The GPU is shared with a game: slower than the processor.
        let found = observed(&mut Forecast::new(times, true), &[400.0; PHOTOS]);
        let corrected = Times { gpu_ms: 400.0, ..times };
        assert_eq!(
            found,
            [WrongForecast { predicted_ms: 60.0, observed_ms: 400.0, times: corrected, other_device: true }]
        );
        // Slower than predicted, but still the better choice.
        let found = observed(&mut Forecast::new(times, true), &[150.0; PHOTOS]);
        assert_eq!(found.iter().map(|found| found.other_device).collect::<Vec<_>>(), [false]);
        // The processor was rated 43 times too fast.
        let wrapped = Times { gpu_ms: 60.0, cpu_ms: 28.0 };
        let found = observed(&mut Forecast::new(wrapped, false), &[1_200.0; PHOTOS]);
        assert_eq!(found.iter().map(|found| found.other_device).collect::<Vec<_>>(), [true]);
        // No number at all.
        let none = Times { gpu_ms: 60.0, cpu_ms: f64::NAN };
        assert_eq!(observed(&mut Forecast::new(none, false), &[1_200.0; PHOTOS]).len(), 1);
    }

    #[test]
    fn what_was_corrected_is_the_forecast_from_then_on() {
        let mut forecast = Forecast::new(Times { gpu_ms: 60.0, cpu_ms: 1200.0 }, true);
        assert_eq!(observed(&mut forecast, &[200.0; 3 * PHOTOS]).len(), 1);
        assert_eq!(observed(&mut forecast, &[60.0; 3 * PHOTOS]).len(), 1);
    }
}
