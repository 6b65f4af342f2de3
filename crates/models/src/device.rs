use crate::ModelError;
use candle_core::Device;

/// A CUDA GPU if the program was built for one and there is one, else Metal likewise, else the CPU.
pub fn best_device() -> Device {
    ["cuda:0", "metal"].iter().find_map(|name| device(name).ok()).unwrap_or(Device::Cpu)
}

/// The device of a name: "auto" ([`best_device`]), "cpu", "cuda" or "cuda:N", "metal".
///
/// # Errors
/// [`ModelError::Device`] for another name, or where the device or the program's support for it is absent.
pub fn device(name: &str) -> Result<Device, ModelError> {
    let fail = |message: String| ModelError::Device { name: name.to_owned(), message };
    let built = |there: bool, feature: &str| {
        let message = format!("this program was built without it; build with `--features {feature}`, or use \"cpu\"");
        if there { Ok(()) } else { Err(fail(message)) }
    };
    match name.split_once(':').unwrap_or((name, "0")) {
        ("auto", "0") => Ok(best_device()),
        ("cpu", "0") => Ok(Device::Cpu),
        ("cuda", index) => {
            built(candle_core::utils::cuda_is_available(), "cuda")?;
            let index = index.parse().map_err(|_| fail(format!("{index:?} is not a number")))?;
            Device::new_cuda(index).map_err(|error| fail(format!("cannot be opened: {error}")))
        }
        ("metal", "0") => {
            built(candle_core::utils::metal_is_available(), "metal")?;
            Device::new_metal(0).map_err(|error| fail(format!("cannot be opened: {error}")))
        }
        _ => Err(fail("there are \"auto\", \"cpu\", \"cuda:N\" and \"metal\"".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(device("cpu").unwrap().is_cpu());
        assert!(device("auto").is_ok());
        let error = device("tpu").unwrap_err().to_string();
        assert!(error.contains("\"cuda:N\""), "{error}");
        assert!(device("cuda:x").is_err());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_the_program_lacks_says_how_to_get_it() {
        let error = device("cuda:0").unwrap_err().to_string();
        assert!(error.contains("--features cuda"), "{error}");
    }
}
