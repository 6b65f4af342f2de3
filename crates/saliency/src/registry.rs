use crate::{
    AblationCam, Attention, CenterPrior, EigenCam, Explain, ExplainError, GradCam, GradCamPlusPlus, Gradient,
    GradientXInput, HiResCam, IntegratedGradients, LayerCam, RandomMap, Rise, Rollout, ScoreCam, SmoothGrad, XGradCam,
};

/// An explainer in the list that users choose from.
#[derive(Clone, Copy, Debug)]
pub struct ExplainerInfo {
    /// The word that [`parse`] understands and with which [`Explain::id`] begins.
    pub word: &'static str,
    /// The explainer's name in the literature.
    pub title: &'static str,
    /// What the explainer does, in one sentence.
    pub sentence: &'static str,
    /// The authors and the year of the publication.
    pub source: &'static str,
    make: Make,
}

/// How an explainer is created.
#[derive(Clone, Copy, Debug)]
enum Make {
    /// It looks from a node: `WORD` from the model's own node, `WORD:NODE` from another one.
    AtNode(fn(Option<String>) -> Box<dyn Explain>),
    /// It looks at the network as a whole, or at nodes that it finds by itself: `WORD`.
    Whole(fn() -> Box<dyn Explain>),
}

impl ExplainerInfo {
    /// Returns whether a node may follow the word, as in "gradcam:layer3".
    pub fn takes_node(&self) -> bool {
        matches!(self.make, Make::AtNode(_))
    }
}

/// All explainers. A new explainer is one entry here.
pub const EXPLAINERS: &[ExplainerInfo] = &[
    ExplainerInfo {
        word: "gradcam",
        title: "Grad-CAM",
        sentence: "a node's channels, each weighted by its mean gradient",
        source: "Selvaraju et al. 2017",
        make: Make::AtNode(|node| Box::new(GradCam { node })),
    },
    ExplainerInfo {
        word: "hirescam",
        title: "HiResCAM",
        sentence: "a node's channels times their gradients at each place",
        source: "Draelos and Carin 2020",
        make: Make::AtNode(|node| Box::new(HiResCam { node })),
    },
    ExplainerInfo {
        word: "gradcam++",
        title: "Grad-CAM++",
        sentence: "channels weighted by positive gradients, with more weight where few places have them",
        source: "Chattopadhay et al. 2018",
        make: Make::AtNode(|node| Box::new(GradCamPlusPlus { node })),
    },
    ExplainerInfo {
        word: "xgradcam",
        title: "XGrad-CAM",
        sentence: "channels weighted by gradients in proportion to their activation",
        source: "Fu et al. 2020",
        make: Make::AtNode(|node| Box::new(XGradCam { node })),
    },
    ExplainerInfo {
        word: "layercam",
        title: "LayerCAM",
        sentence: "channels times their positive gradients at each place",
        source: "Jiang et al. 2021",
        make: Make::AtNode(|node| Box::new(LayerCam { node })),
    },
    ExplainerInfo {
        word: "eigencam",
        title: "Eigen-CAM",
        sentence: "the first principal component of a node's channels, which is the same for all classes",
        source: "Muhammad and Yeasin 2020",
        make: Make::AtNode(|node| Box::new(EigenCam { node })),
    },
    ExplainerInfo {
        word: "scorecam",
        title: "Score-CAM",
        sentence: "channels weighted by the logit of the input masked by each channel; one pass per channel",
        source: "Wang et al. 2020",
        make: Make::AtNode(|node| Box::new(ScoreCam { node, ..ScoreCam::default() })),
    },
    ExplainerInfo {
        word: "ablationcam",
        title: "Ablation-CAM",
        sentence: "channels weighted by how much the logit drops without each; one pass through the head per channel",
        source: "Desai and Ramaswamy 2020",
        make: Make::AtNode(|node| Box::new(AblationCam { node, ..AblationCam::default() })),
    },
    ExplainerInfo {
        word: "gradient",
        title: "input gradient",
        sentence: "the largest slope of the logit over a pixel's channels",
        source: "Simonyan, Vedaldi and Zisserman 2014",
        make: Make::Whole(|| Box::new(Gradient)),
    },
    ExplainerInfo {
        word: "gradient-x-input",
        title: "gradient × input",
        sentence: "each pixel's share of the logit if the network were linear",
        source: "Shrikumar et al. 2016",
        make: Make::Whole(|| Box::new(GradientXInput)),
    },
    ExplainerInfo {
        word: "smoothgrad",
        title: "SmoothGrad",
        sentence: "the mean input gradient of noisy copies; 50 forward and backward passes",
        source: "Smilkov et al. 2017",
        make: Make::Whole(|| Box::new(SmoothGrad::default())),
    },
    ExplainerInfo {
        word: "integrated-gradients",
        title: "integrated gradients",
        sentence: "each pixel's share of the logit, integrated from the mean color to the image; 50 forward and backward passes",
        source: "Sundararajan, Taly and Yan 2017",
        make: Make::Whole(|| Box::new(IntegratedGradients::default())),
    },
    ExplainerInfo {
        word: "rollout",
        title: "attention rollout",
        sentence: "the product of the attention of all blocks, which is the same for all classes; ViTs only",
        source: "Abnar and Zuidema 2020",
        make: Make::Whole(|| Box::new(Rollout)),
    },
    ExplainerInfo {
        word: "attention",
        title: "gradient-weighted attention",
        sentence: "the product of the attention of all blocks, each weighted by its positive gradient; ViTs only",
        source: "Chefer, Gur and Wolf 2021",
        make: Make::Whole(|| Box::new(Attention)),
    },
    ExplainerInfo {
        word: "rise",
        title: "RISE",
        sentence: "the mean of random masks weighted by the probability of the masked input; 1000 passes",
        source: "Petsiuk, Das and Saenko 2018",
        make: Make::Whole(|| Box::new(Rise::default())),
    },
    ExplainerInfo {
        word: "random",
        title: "random map",
        sentence: "uniform noise at a node's resolution",
        source: "a baseline to beat",
        make: Make::AtNode(|node| Box::new(RandomMap { node })),
    },
    ExplainerInfo {
        word: "centre",
        title: "center prior",
        sentence: "a Gaussian on the center of the image",
        source: "a baseline to beat",
        make: Make::Whole(|| Box::new(CenterPrior)),
    },
];

/// Creates the explainer that a word names, as [`Explain::id`] writes it: "gradcam", or "gradcam:NODE" to look from
/// another node than the model's own.
///
/// # Errors
/// Returns [`ExplainError::Word`] for a word that is not in [`EXPLAINERS`], for a colon without a node, and for a node
/// after a word that takes none. Whether a model has the node is only known when it is explained.
pub fn parse(word: &str) -> Result<Box<dyn Explain>, ExplainError> {
    let fail = |reason| {
        let known =
            |one: &ExplainerInfo| if one.takes_node() { format!("{}[:NODE]", one.word) } else { one.word.to_owned() };
        let known: Vec<String> = EXPLAINERS.iter().map(known).collect();
        ExplainError::Word { word: word.to_owned(), reason, known: known.join(", ") }
    };
    let (name, node) = match word.split_once(':') {
        None => (word, None),
        Some((_, "")) => return Err(fail("a node must follow the colon")),
        Some((name, node)) => (name, Some(node.to_owned())),
    };
    let one = EXPLAINERS.iter().find(|one| one.word == name).ok_or_else(|| fail("there is no such word"))?;
    match (one.make, node) {
        (Make::AtNode(make), node) => Ok(make(node)),
        (Make::Whole(make), None) => Ok(make()),
        (Make::Whole(_), Some(_)) => Err(fail("it takes no node")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_itself() {
        for one in EXPLAINERS {
            assert_eq!(parse(one.word).unwrap().id(), one.word);
            if one.takes_node() {
                let word = format!("{}:blocks.1:0", one.word);
                let explainer = parse(&word).unwrap();
                assert_eq!((explainer.id(), explainer.node()), (word, Some("blocks.1:0")));
            }
        }
    }

    #[test]
    fn errors_list_the_known_words() {
        let check = |word: &str, part: &str| {
            let error = parse(word).err().unwrap().to_string();
            assert!(error.contains(part) && error.contains("gradcam[:NODE]"), "{error}");
        };
        check("grad-cam", "unknown explainer \"grad-cam\": there is no such word");
        check("gradcam:", "a node must follow");
        check("", "there is no such word");
        check("centre:layer3", "it takes no node");
    }
}
