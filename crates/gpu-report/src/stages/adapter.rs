//! The adapters that the driver offers, and whether the one to be measured can be used.

use super::{Context, StageError, request};
use crate::record::{Adapter, Record};
use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor, InstanceFlags};

/// Lists the adapters and acquires a device of the one that the other stages will measure.
///
/// # Errors
/// When there is none, or it can't be used.
pub fn run(context: &Context) -> Result<(), StageError> {
    let gpu = request()?;
    let instance = Instance::new(InstanceDescriptor {
        flags: InstanceFlags::empty(),
        ..InstanceDescriptor::new_without_display_handle()
    });
    let mut is_found = false;
    for adapter in pollster::block_on(instance.enumerate_adapters(Backends::all())) {
        let info = adapter.get_info();
        let measured = !is_found && info.name == gpu.info().name && info.device == gpu.info().device;
        is_found |= measured;
        let limits = adapter.limits();
        let matrices = adapter.cooperative_matrix_properties();
        let matrix = |m: &wgpu::wgt::CooperativeMatrixProperties| {
            format!("{}×{}×{} of {:?} to {:?}", m.m_size, m.n_size, m.k_size, m.ab_type, m.cr_type)
        };
        let arithmetics = if measured { gpu.offered() } else { &[] };
        (context.emit)(Record::Adapter(Adapter {
            name: info.name,
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            api: info.backend.to_string(),
            software: info.device_type == DeviceType::Cpu,
            vendor: info.vendor,
            device: info.device,
            subgroup: [info.subgroup_min_size, info.subgroup_max_size],
            arithmetics: arithmetics.iter().map(|arithmetic| arithmetic.name().to_owned()).collect(),
            cooperative_matrices: matrices.iter().map(matrix).collect(),
            features: adapter.features().iter_names().map(|(name, _)| name.to_owned()).collect(),
            max_buffer_bytes: limits.max_buffer_size,
            max_binding_bytes: limits.max_storage_buffer_binding_size,
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size.into(),
            max_invocations: limits.max_compute_invocations_per_workgroup.into(),
            measured,
        }));
    }
    Ok(())
}
