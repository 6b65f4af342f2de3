use crate::ModelError;
use candle_core::Device;

/// Returns the first device that exists and that the program was built for: a CUDA GPU, a Metal GPU, or the CPU.
///
/// The result is candle's type.
pub fn best_device() -> Device {
    ["cuda:0", "metal"].iter().find_map(|name| device(name).ok()).unwrap_or(Device::Cpu)
}

/// Returns the device of a name: "auto" ([`best_device`]), "cpu", "cuda", "cuda:N" or "metal". The result is candle's
/// type.
///
/// # Errors
/// Returns [`ModelError::Device`] for any other name, and if the device or the program's support for it is missing.
pub fn device(name: &str) -> Result<Device, ModelError> {
    let fail = |message: String| ModelError::Device { name: name.to_owned(), message };
    let check_support = |is_available: bool, feature: &str| {
        let message =
            format!("this program was built without support for it; build with `--features {feature}`, or use \"cpu\"");
        if is_available { Ok(()) } else { Err(fail(message)) }
    };
    match name.split_once(':').unwrap_or((name, "0")) {
        ("auto", "0") => Ok(best_device()),
        ("cpu", "0") => Ok(Device::Cpu),
        ("cuda", index) => {
            check_support(candle_core::utils::cuda_is_available(), "cuda")?;
            let index = index.parse().map_err(|_| fail(format!("{index:?} is not a number")))?;
            Device::new_cuda(index).map_err(|error| fail(format!("cannot be opened: {error}")))
        }
        ("metal", "0") => {
            check_support(candle_core::utils::metal_is_available(), "metal")?;
            Device::new_metal(0).map_err(|error| fail(format!("cannot be opened: {error}")))
        }
        _ => Err(fail("the known devices are \"auto\", \"cpu\", \"cuda:N\" and \"metal\"".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_select_devices() {
        assert!(device("cpu").unwrap().is_cpu());
        assert!(device("auto").is_ok());
        let error = device("tpu").unwrap_err().to_string();
        assert!(error.contains("\"cuda:N\""), "{error}");
        assert!(device("cuda:x").is_err());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn errors_say_how_to_build_support_for_a_device() {
        let error = device("cuda:0").unwrap_err().to_string();
        assert!(error.contains("--features cuda"), "{error}");
    }
}
