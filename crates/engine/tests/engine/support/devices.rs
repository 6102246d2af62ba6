//! A processor and a GPU whose behaviour tests set.

use super::backend::{Alive, FakeBackend};
use super::clock::FakeClock;
use beit::backend::{Agreement, Arithmetic, BackendError, GpuBackend};
use beit::builder::BuildError;
use beit::config::Config;
use engine::platform::{Devices, Threads};
use kernels::{Isa, WeightFormat};
use protocol::fault::Reason;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How the GPU is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GpuIs {
    Absent,
    /// A photo takes so many milliseconds.
    Fine(f64),
    /// Only imitated on the processor.
    Software,
    /// The small network's answers are wrong.
    Wrong,
    /// The small network's answers are right, the model's are no numbers.
    NotANumber,
    /// The browser never says whether there is one.
    Silent,
}

#[derive(Clone)]
pub struct FakeDevices(pub Rc<State>);

pub struct State {
    pub clock: FakeClock,
    pub gpu: Cell<GpuIs>,
    /// Milliseconds of a photo on the processor: as a product predicts them, and as they are.
    pub cpu_predicted_ms: Cell<f64>,
    pub cpu_ms: Cell<f64>,
    /// Photos until the GPU is lost.
    pub lost_after: Cell<Option<u32>>,
    /// Photos until the GPU's answers are no numbers.
    pub nan_after: Cell<Option<u32>>,
    /// Photos until the GPU hangs.
    pub hangs_after: Cell<Option<u32>>,
    /// What the GPU is once it is lost.
    pub after_loss: Cell<GpuIs>,
    pub asked_for_gpu: Cell<u32>,
    pub checks: Cell<u32>,
    /// How often variants of its kernels were timed, and remembered ones were used.
    pub tunings: Cell<u32>,
    pub recalls: Cell<u32>,
    pub cpu_alive: Alive,
    pub gpu_alive: Alive,
    pub driver: RefCell<String>,
}

impl FakeDevices {
    pub fn new(clock: &FakeClock, gpu: GpuIs) -> Self {
        Self(Rc::new(State {
            clock: clock.clone(),
            gpu: Cell::new(gpu),
            cpu_predicted_ms: Cell::new(1_000.0),
            cpu_ms: Cell::new(1_000.0),
            lost_after: Cell::new(None),
            nan_after: Cell::new(None),
            hangs_after: Cell::new(None),
            after_loss: Cell::new(gpu),
            asked_for_gpu: Cell::new(0),
            checks: Cell::new(0),
            tunings: Cell::new(0),
            recalls: Cell::new(0),
            cpu_alive: Alive::default(),
            gpu_alive: Alive::default(),
            driver: RefCell::new("Browser 1".into()),
        }))
    }
}

impl Devices for FakeDevices {
    type Cpu = FakeBackend;
    type Gpu = FakeBackend;

    fn cpu(&self, _: Isa) -> FakeBackend {
        FakeBackend::cpu(self.0.clone())
    }

    fn fastest_isa(&self, _: WeightFormat) -> (Isa, f64) {
        (Isa::best(), f64::INFINITY)
    }

    fn product_ms(&self, config: &Config, _: Isa, _: WeightFormat) -> f64 {
        self.0.cpu_predicted_ms.get() / engine::device_selection::photo_ms_on_cpu(config, 1.0)
    }

    async fn start_threads(&self, threads: usize) -> Threads {
        Threads { helpers: threads.saturating_sub(1), trouble: None }
    }

    async fn gpu(&self, allow_software: bool) -> Result<FakeBackend, Reason> {
        self.0.asked_for_gpu.set(self.0.asked_for_gpu.get() + 1);
        match self.0.gpu.get() {
            GpuIs::Absent => Err(Reason::NoGpu { reason: "no adapter".into() }),
            GpuIs::Software if !allow_software => Err(Reason::SoftwareGpu { name: "SwiftShader".into() }),
            GpuIs::Silent => std::future::pending().await,
            _ => Ok(FakeBackend::gpu(self.0.clone())),
        }
    }

    fn driver(&self) -> String {
        self.0.driver.borrow().clone()
    }
}

impl GpuBackend for FakeBackend {
    fn name(&self) -> String {
        "Fake GPU".into()
    }

    fn identity(&self) -> String {
        "Fake GPU, driver 1".into()
    }

    fn is_software(&self) -> bool {
        self.state.gpu.get() == GpuIs::Software
    }

    fn offered(&self) -> Vec<Arithmetic> {
        vec![Arithmetic::F32, Arithmetic::F16]
    }

    fn arithmetic(&self) -> Arithmetic {
        self.arithmetic.get()
    }

    fn set_arithmetic(&self, arithmetic: Arithmetic) {
        self.arithmetic.set(arithmetic);
    }

    async fn self_check(&self, _: WeightFormat) -> Result<Agreement, BuildError> {
        self.state.checks.set(self.state.checks.get() + 1);
        let cosine = if self.state.gpu.get() == GpuIs::Wrong { 0.3 } else { 1.0 };
        Ok(Agreement { cosine, worst: 0.0 })
    }

    async fn tune(
        &self,
        _: &Config,
        _: &str,
        _: &[Arithmetic],
        _: usize,
        _: &dyn Fn() -> f64,
    ) -> Result<String, BackendError> {
        self.state.tunings.set(self.state.tunings.get() + 1);
        Ok("fast variants".into())
    }

    fn recall(&self, tuned: &str) -> bool {
        self.state.recalls.set(self.state.recalls.get() + 1);
        tuned == "fast variants"
    }

    async fn compile(
        &self,
        _: &Config,
        _: &str,
        _: &[Arithmetic],
        _: usize,
        ready: &dyn Fn(usize, usize),
    ) -> Result<(), BackendError> {
        ready(1, 1);
        Ok(())
    }

    fn most_photos(&self, _: &Config) -> usize {
        4
    }
}
