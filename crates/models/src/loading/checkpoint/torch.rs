//! The content of torch checkpoints: a pickle of the saved object, and the storages that hold the elements of its
//! tensors.

use super::stored::StoredTensor;
use candle_core::DType;
use hard_imagenet_pickle::Value;
use std::collections::{HashMap, HashSet};

/// The storages by key: offset in the file and length, in bytes.
pub(super) type Storages = HashMap<String, (u64, u64)>;

/// A storage, as the pickle describes it.
pub(super) struct Storage<'a> {
    pub(super) key: &'a str,
    /// The bytes of an element.
    pub(super) size: usize,
    /// The type of the elements, or `None` for types that weights do not have.
    dtype: Option<DType>,
    /// The number of elements to skip, if this is a view of another storage.
    offset: usize,
}

/// Returns the storage that the tuple `('storage', type, key, location, elements, view)` describes.
pub(super) fn storage(id: Value<'_>) -> Option<Storage<'_>> {
    let parts: Vec<_> = id.items()?.collect();
    let [kind, class, key, _, _, rest @ ..] = &parts[..] else { return None };
    let (kind, class, key) = (kind.as_text()?, class.as_name()?, key.as_text()?);
    let (dtype, size) = match class.rsplit_once('.')?.1 {
        "FloatStorage" => (Some(DType::F32), 4),
        "HalfStorage" => (Some(DType::F16), 2),
        "BFloat16Storage" => (Some(DType::BF16), 2),
        "DoubleStorage" => (Some(DType::F64), 8),
        "LongStorage" | "ComplexFloatStorage" => (None, 8),
        "IntStorage" | "QInt32Storage" => (None, 4),
        "ShortStorage" => (None, 2),
        "ComplexDoubleStorage" => (None, 16),
        _ => (None, 1),
    };
    // Before torch 1.0, a view is described by (key, offset, size).
    let view = rest.first().and_then(|view| view.items());
    let offset = view.and_then(|mut view| size_of(view.nth(1)?)).unwrap_or(0);
    (kind == "storage").then_some(Storage { key, size, dtype, offset })
}

/// The keys under which training scripts save weights. Averaged weights come first, as in timm.
const WEIGHT_KEYS: [&str; 14] = [
    "state_dict_ema",
    "model_ema",
    "ema",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "teacher",
    "net",
    "network",
    "params",
    "weights",
    "module",
    "state",
];

/// Returns the table of the floating-point tensors in a saved object: those of the dictionary itself, of the dictionary
/// under one of [`WEIGHT_KEYS`], or of a whole module and its submodules. Optimizers and settings are ignored.
pub(super) fn tensors(saved: Value<'_>, storages: &Storages) -> Result<Vec<StoredTensor>, String> {
    let mut top = saved;
    for _ in 0..4 {
        let members = members(top);
        if members.iter().any(|&(_, value)| tensor_call(value).is_some()) {
            break;
        }
        let under = WEIGHT_KEYS.iter().find_map(|key| {
            let (_, value) = members.iter().rev().find(|(name, _)| name.as_text() == Some(key))?;
            (!self::members(*value).is_empty()).then_some(*value)
        });
        match under {
            Some(under) => top = under,
            None => break,
        }
    }
    let is_module = top.state().is_some() && top.entries().is_some_and(|mut entries| entries.next().is_none());
    let mut tensors = Vec::new();
    let mut met = HashSet::from([top.identity()]);
    let mut ahead = vec![(String::new(), top)];
    while let Some((prefix, place)) = ahead.pop() {
        for (key, value) in members(place) {
            let Some(key) = key.as_text() else { continue };
            if let Some(call) = tensor_call(value) {
                tensors.extend(tensor(storages, format!("{prefix}{key}"), &call)?);
            } else if is_module && met.insert(value.identity()) {
                // Modules hold their tensors and submodules in these dictionaries, which are not part of a weight's
                // name.
                let inner = ["_parameters", "_buffers", "_modules"].contains(&key);
                let prefix = if inner { prefix.clone() } else { format!("{prefix}{key}.") };
                ahead.push((prefix, value));
            }
        }
    }
    match tensors.is_empty() {
        true => Err(format!("there are no tensors at the top level or under \"{}\"", WEIGHT_KEYS.join("\", \""))),
        false => Ok(tensors),
    }
}

/// Returns the entries of a dictionary in order, or the attributes of an object.
fn members(value: Value<'_>) -> Vec<(Value<'_>, Value<'_>)> {
    let members: Vec<_> = value.entries().into_iter().flatten().collect();
    if !members.is_empty() {
        return members;
    }
    value.state().and_then(Value::entries).into_iter().flatten().collect()
}

/// Returns the arguments of a call that makes a tensor: storage, offset, shape, strides, and others.
fn tensor_call(mut value: Value<'_>) -> Option<Vec<Value<'_>>> {
    // A parameter wraps its tensor in a call, and in rare cases in two.
    for _ in 0..4 {
        let (function, arguments) = value.call()?;
        let arguments: Vec<_> = arguments.collect();
        match (function, &arguments[..]) {
            ("torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2", [_, _, _, _, ..]) => {
                return Some(arguments);
            }
            ("torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state", [data, ..]) => {
                value = *data;
            }
            ("torch._tensor._rebuild_from_type_v2", [function, _, arguments, ..]) => {
                let rebuilds = function.as_name()?.starts_with("torch._utils._rebuild_tensor");
                return arguments.items().filter(|_| rebuilds).map(Iterator::collect);
            }
            _ => return None,
        }
    }
    None
}

/// Describes one tensor. Returns `None` if its elements are not floating-point numbers.
fn tensor(storages: &Storages, name: String, call: &[Value<'_>]) -> Result<Option<StoredTensor>, String> {
    let damaged = || format!("the pickle is damaged: the description of {name:?} is invalid");
    let &[id, offset, shape, strides, ..] = call else { return Err(damaged()) };
    let Storage { key, size, dtype, offset: view } = id.persistent_id().and_then(storage).ok_or_else(damaged)?;
    let Some(dtype) = dtype else { return Ok(None) };
    let &(from, bytes) = storages
        .get(key)
        .ok_or_else(|| format!("the values of {name:?} are missing; download or copy the file again"))?;
    let sizes = |list: Value<'_>| list.items()?.map(size_of).collect::<Option<Vec<_>>>();
    let offset = size_of(offset).and_then(|offset| offset.checked_add(view)).ok_or_else(damaged)?;
    let (shape, strides) = (sizes(shape).ok_or_else(damaged)?, sizes(strides).ok_or_else(damaged)?);
    let elements = usize::try_from(bytes / size as u64).map_err(|error| error.to_string())?;
    StoredTensor::within((from, elements), offset, (name, dtype, shape), Some(strides)).map(Some)
}

/// Returns the integer, if it is not negative.
fn size_of(value: Value<'_>) -> Option<usize> {
    usize::try_from(value.as_int()?).ok()
}
