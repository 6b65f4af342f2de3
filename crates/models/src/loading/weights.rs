use std::path::PathBuf;

/// The place where weights come from.
#[derive(Clone, Debug)]
pub enum Weights {
    /// One file: safetensors, a torch checkpoint (`.pth`, `.pt`, `.bin`, `.ckpt`) of any version of torch, or the index of
    /// weights in several files (`model.safetensors.index.json`).
    ///
    /// A checkpoint is read as data; no code in it runs. Tensors may have timm's names, those of torchvision or
    /// transformers, or those of the authors of DINOv2, CLIP and Swin.
    File(PathBuf),
    /// A folder that contains `<model>.safetensors` (or `.pth`, `.pt`, `.bin`, `.ckpt`; with or without the model's
    /// tag), or a folder with the files of a repository of the Hugging Face hub: `model.safetensors` or
    /// `pytorch_model.bin`, or one of them in shards with its index, and `config.json`.
    Folder(PathBuf),
    /// A safetensors file in memory.
    Bytes(&'static [u8]),
    /// A repository of the Hugging Face hub, through the local cache.
    #[cfg(feature = "hub")]
    Hub(crate::Hub),
}
