//! Facade. (Page to be completed.)
pub use hard_imagenet_datasets as datasets;
pub use hard_imagenet_evaluation as evaluation;
pub use hard_imagenet_graph as graph;
pub use hard_imagenet_images as images;
pub use hard_imagenet_kernels as kernels;
pub use hard_imagenet_masks as masks;
pub use hard_imagenet_metrics as metrics;
pub use hard_imagenet_models as models;
pub use hard_imagenet_perturbations as perturbations;
pub use hard_imagenet_report as report;
pub use hard_imagenet_saliency as saliency;
