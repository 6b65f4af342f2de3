//! Tensors of an ONNX file, stored in it or in a file next to it.

use crate::error::Reason;
use crate::proto::TensorProto;
use candle_core::{Device, Tensor};
use half::{bf16, f16};
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// Reads a tensor to the CPU: floats of all kinds as f32, integers as i64, truth values as u8.
///
/// External data is read from its file, which must be in `folder` or below.
pub(crate) fn read(tensor: &TensorProto<'_>, folder: &Path) -> Result<Tensor, Reason> {
    let dims = tensor
        .dims
        .iter()
        .map(|&dim| usize::try_from(dim).map_err(|_| format!("the tensor {:?} has the dimension {dim}", tensor.name)))
        .collect::<Result<Vec<usize>, String>>()?;
    let count = dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim)).ok_or("a tensor is larger than memory")?;
    let outside = tensor.is_external.then(|| external(tensor, folder)).transpose()?;
    let raw = outside.as_deref().or(tensor.raw);
    let (ints, floats) = (&tensor.ints, &tensor.floats);
    match tensor.data_type {
        1 => build(decode(raw, f32::from_le_bytes, || floats.clone())?, count, dims),
        10 => {
            let bits = decode(raw, u16::from_le_bytes, || ints.iter().map(|&bits| bits as u16).collect())?;
            build(bits.into_iter().map(|bits| f16::from_bits(bits).to_f32()).collect(), count, dims)
        }
        16 => {
            let bits = decode(raw, u16::from_le_bytes, || ints.iter().map(|&bits| bits as u16).collect())?;
            build(bits.into_iter().map(|bits| bf16::from_bits(bits).to_f32()).collect(), count, dims)
        }
        11 => {
            let wide = decode(raw, f64::from_le_bytes, || tensor.doubles.clone())?;
            build(wide.into_iter().map(|v| v as f32).collect(), count, dims)
        }
        2 => build(decode(raw, |[v]| i64::from(v), || ints.clone())?, count, dims),
        3 => build(decode(raw, |v| i64::from(i8::from_le_bytes(v)), || ints.clone())?, count, dims),
        6 => build(decode(raw, |v| i64::from(i32::from_le_bytes(v)), || ints.clone())?, count, dims),
        7 => build(decode(raw, i64::from_le_bytes, || ints.clone())?, count, dims),
        9 => build(decode(raw, |[v]| v, || ints.iter().map(|&v| u8::from(v != 0)).collect())?, count, dims),
        other => Err(format!(
            "the tensor {:?} has the data type {other}, but only float, float16, bfloat16, double, int8, uint8, int32, \
             int64 and bool are supported: export the model in floats",
            tensor.name
        )
        .into()),
    }
}

/// Returns the elements, from the raw bytes if there are any, otherwise from the typed field.
fn decode<T, const N: usize>(
    raw: Option<&[u8]>,
    element: impl Fn([u8; N]) -> T,
    typed: impl FnOnce() -> Vec<T>,
) -> Result<Vec<T>, Reason> {
    let Some(raw) = raw else { return Ok(typed()) };
    let (elements, rest) = raw.as_chunks::<N>();
    if rest.is_empty() {
        Ok(elements.iter().map(|bytes| element(*bytes)).collect())
    } else {
        Err("the data of a tensor ends in the middle of an element".into())
    }
}

fn build<T: candle_core::WithDType>(values: Vec<T>, count: usize, dims: Vec<usize>) -> Result<Tensor, Reason> {
    if values.len() != count {
        return Err(format!("a tensor of shape {dims:?} has {} elements", values.len()).into());
    }
    Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
}

fn external(tensor: &TensorProto<'_>, folder: &Path) -> Result<Vec<u8>, Reason> {
    let path = external_path(tensor, folder)?;
    let entry = |key: &str| tensor.external.iter().find(|pair| pair.key == key).map(|pair| pair.value.as_str());
    let number = |key: &str| -> Result<Option<u64>, Reason> {
        let wrong = |text: &str| format!("{:?} has the {key} {text:?}", tensor.name);
        entry(key).map(|text| text.parse().map_err(|_| wrong(text).into())).transpose()
    };
    let fail = |error: std::io::Error| format!("cannot read its data file {}: {error}", path.display());
    let mut file = File::open(&path).map_err(fail)?;
    let mut start = Vec::new();
    (&mut file).take(64).read_to_end(&mut start).map_err(fail)?;
    if is_lfs_pointer(&start) {
        return Err(format!("its data file {} {LFS_POINTER}", path.display()).into());
    }
    let size = file.metadata().map_err(fail)?.len();
    let offset = number("offset")?.unwrap_or(0);
    let length = match number("length")? {
        Some(length) => length,
        None => size.saturating_sub(offset),
    };
    // Check the length against the file before allocating.
    if offset.checked_add(length).is_none_or(|end| end > size) {
        return Err(
            format!("its data file {} is too short for {:?}: download it again", path.display(), tensor.name).into()
        );
    }
    let mut bytes = vec![0; usize::try_from(length)?];
    file.seek(SeekFrom::Start(offset)).map_err(fail)?;
    file.read_exact(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

/// Returns the path of an external tensor's data. Only plain relative paths are accepted, so that no file elsewhere is opened.
pub(crate) fn external_path(tensor: &TensorProto<'_>, folder: &Path) -> Result<PathBuf, Reason> {
    let location = tensor.external.iter().find(|pair| pair.key == "location").map(|pair| Path::new(&pair.value));
    match location {
        Some(path) if path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) => {
            Ok(folder.join(path))
        }
        _ => Err(format!("the data of {:?} is outside the model's folder", tensor.name).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Pair;

    fn check(tensor: TensorProto<'_>, want: &[f32]) {
        let got = read(&tensor, Path::new("")).unwrap().to_dtype(candle_core::DType::F32).unwrap();
        assert_eq!(got.flatten_all().unwrap().to_vec1::<f32>().unwrap(), want, "{tensor:?}");
    }

    fn of_type(data_type: i64, dims: &[i64]) -> TensorProto<'static> {
        TensorProto { data_type, dims: dims.to_vec(), ..TensorProto::default() }
    }

    #[test]
    fn reads_every_kind_of_number() {
        check(TensorProto { raw: Some(&[0, 0, 0x80, 0x3f]), ..of_type(1, &[1]) }, &[1.0]);
        check(TensorProto { floats: vec![1.0, 2.0], ..of_type(1, &[2, 1]) }, &[1.0, 2.0]);
        check(TensorProto { raw: Some(&[0, 0x3c]), ..of_type(10, &[1]) }, &[1.0]);
        check(TensorProto { ints: vec![0x3c00], ..of_type(10, &[1]) }, &[1.0]);
        check(TensorProto { raw: Some(&[0x80, 0x3f]), ..of_type(16, &[1]) }, &[1.0]);
        check(TensorProto { doubles: vec![0.5], ..of_type(11, &[]) }, &[0.5]);
        check(TensorProto { raw: Some(&[255]), ..of_type(2, &[1]) }, &[255.0]);
        check(TensorProto { raw: Some(&[255]), ..of_type(3, &[1]) }, &[-1.0]);
        check(TensorProto { ints: vec![-3], ..of_type(6, &[1]) }, &[-3.0]);
        check(TensorProto { raw: Some(&[1, 0]), ..of_type(9, &[2]) }, &[1.0, 0.0]);
        check(of_type(1, &[0]), &[]);
    }

    #[test]
    fn malformed_tensors_are_errors() {
        let fails = |tensor: TensorProto<'_>, part: &str| {
            let error = read(&tensor, Path::new("")).unwrap_err().0;
            assert!(error.contains(part), "{error}");
        };
        fails(TensorProto { raw: Some(&[0, 0, 0]), ..of_type(1, &[1]) }, "middle of an element");
        fails(TensorProto { floats: vec![1.0], ..of_type(1, &[2]) }, "has 1 elements");
        fails(of_type(1, &[-1]), "dimension -1");
        fails(of_type(1, &[i64::MAX, i64::MAX]), "larger than memory");
        fails(of_type(8, &[1]), "data type 8");
        for location in ["../secret", "/etc/passwd", ""] {
            let external = vec![Pair { key: "location".into(), value: location.into() }];
            fails(TensorProto { is_external: true, external, ..of_type(1, &[1]) }, "");
        }
    }
}
