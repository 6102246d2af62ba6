//! Every kernel in every variant is valid WGSL, without extensions but for F16's and subgroups', and needs no more than what every WebGPU
//! device has.

use gpu::{Arithmetic, Bindings, Kernel};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess};

/// WebGPU's default limits.
const WORKGROUP_BYTES: u32 = 16_384;
const INVOCATIONS: u32 = 256;
const STORAGE_BUFFERS: usize = 8;

#[test]
fn kernels_are_valid_and_keep_to_the_default_limits() {
    for kernel in Kernel::all() {
        let module = naga::front::wgsl::parse_str(&kernel.source())
            .unwrap_or_else(|e| panic!("{kernel:?}: {}", e.emit_to_string(&kernel.source())));
        // Unpacking f16 is in every WebGPU device; naga also knows older ones.
        let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
        if matches!(kernel, Kernel::Linear { arithmetic: Arithmetic::F16, .. }) {
            capabilities |= Capabilities::SHADER_FLOAT16;
        }
        if matches!(kernel, Kernel::LayerNorm { subgroups: true }) {
            capabilities |= Capabilities::SUBGROUP;
        }
        Validator::new(ValidationFlags::all(), capabilities)
            .validate(&module)
            .unwrap_or_else(|e| panic!("{kernel:?}: {}", e.emit_to_string(&kernel.source())));

        let [entry] = &module.entry_points[..] else { panic!("{kernel:?}: one entry point expected") };
        assert_eq!(entry.name, "main", "{kernel:?}");
        let invocations: u32 = entry.workgroup_size.iter().product();
        assert!(invocations <= INVOCATIONS, "{kernel:?}: {invocations} invocations");
        let bytes = workgroup_bytes(&module);
        assert!(bytes <= WORKGROUP_BYTES, "{kernel:?}: {bytes} bytes of workgroup memory");
        let buffers = module.global_variables.iter();
        let buffers = buffers.filter(|(_, v)| matches!(v.space, AddressSpace::Storage { .. })).count();
        assert!(buffers <= STORAGE_BUFFERS, "{kernel:?}: {buffers} storage buffers");
        assert_eq!(bindings(&module), kernel.bindings(), "{kernel:?}");
    }
}

/// What the text binds: one uniform, then what is read, then what is written, numbered without a gap.
fn bindings(module: &Module) -> Bindings {
    let mut bound: Vec<_> =
        module.global_variables.iter().filter_map(|(_, v)| Some((v.binding?, v.space))).collect();
    bound.sort_by_key(|(binding, _)| binding.binding);
    let kinds: Vec<_> = bound
        .into_iter()
        .zip(0..)
        .map(|((binding, space), number)| {
            assert_eq!((binding.group, binding.binding), (0, number));
            match space {
                AddressSpace::Uniform => 0,
                AddressSpace::Storage { access } if access == StorageAccess::LOAD => 1,
                AddressSpace::Storage { .. } => 2,
                other => panic!("{other:?} bound"),
            }
        })
        .collect();
    assert!(kinds.is_sorted(), "{kinds:?}");
    let count = |kind| kinds.iter().filter(|&&k| k == kind).count();
    assert_eq!(count(0), 1);
    Bindings { read: count(1), written: count(2) }
}

/// Each variable rounded up to 16 bytes, as WebGPU counts.
fn workgroup_bytes(module: &Module) -> u32 {
    let variables = module.global_variables.iter();
    let workgroup = variables.filter(|(_, v)| v.space == AddressSpace::WorkGroup);
    workgroup.map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx()).next_multiple_of(16)).sum()
}

#[test]
fn every_file_is_a_kernel() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/kernels");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap().replace(".wgsl", ""))
        .collect();
    files.sort();
    let mut names: Vec<_> = Kernel::all().into_iter().map(Kernel::name).collect();
    // Not a kernel, but the end of two.
    names.push("linear_common");
    names.sort();
    names.dedup();
    assert_eq!(files, names);
}
