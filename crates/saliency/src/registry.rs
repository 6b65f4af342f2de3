use crate::{
    AblationCam, Attention, CenterPrior, EigenCam, Explain, ExplainError, GradCam, GradCamPlusPlus, Gradient,
    GradientXInput, HiResCam, IntegratedGradients, LayerCam, RandomMap, Rise, Rollout, ScoreCam, SmoothGrad, XGradCam,
};

/// An explainer as people choose it.
#[derive(Clone, Copy, Debug)]
pub struct ExplainerInfo {
    /// What [`parse`] understands, and [`Explain::id`] begins with.
    pub word: &'static str,
    /// Its name in the literature.
    pub title: &'static str,
    /// What it does, in one sentence.
    pub sentence: &'static str,
    /// Who proposed it.
    pub source: &'static str,
    make: Make,
}

/// How an explainer comes from its word.
#[derive(Clone, Copy, Debug)]
enum Make {
    /// It looks from a node: `WORD` from the model's own, `WORD:NODE` from another.
    AtNode(fn(Option<String>) -> Box<dyn Explain>),
    /// It looks at the network as a whole, or at nodes that it finds itself: `WORD`.
    Whole(fn() -> Box<dyn Explain>),
}

impl ExplainerInfo {
    /// May a node follow the word, as in "gradcam:layer3"?
    pub fn takes_node(&self) -> bool {
        matches!(self.make, Make::AtNode(_))
    }
}

/// The explainers there are.
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
        sentence: "a node's channels times their gradients, place by place",
        source: "Draelos and Carin 2020",
        make: Make::AtNode(|node| Box::new(HiResCam { node })),
    },
    ExplainerInfo {
        word: "gradcam++",
        title: "Grad-CAM++",
        sentence: "channels weighted by positive gradients, more where few places have them",
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
        sentence: "channels times their positive gradients, place by place",
        source: "Jiang et al. 2021",
        make: Make::AtNode(|node| Box::new(LayerCam { node })),
    },
    ExplainerInfo {
        word: "eigencam",
        title: "Eigen-CAM",
        sentence: "the first principal component of a node's channels, for no class in particular",
        source: "Muhammad and Yeasin 2020",
        make: Make::AtNode(|node| Box::new(EigenCam { node })),
    },
    ExplainerInfo {
        word: "scorecam",
        title: "Score-CAM",
        sentence: "channels weighted by the logit of the input that each masks; a pass for each channel",
        source: "Wang et al. 2020",
        make: Make::AtNode(|node| Box::new(ScoreCam { node, ..ScoreCam::default() })),
    },
    ExplainerInfo {
        word: "ablationcam",
        title: "Ablation-CAM",
        sentence: "channels weighted by what the logit loses without each; a pass through the head for each channel",
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
        sentence: "each pixel's share of the logit, were the network linear",
        source: "Shrikumar et al. 2016",
        make: Make::Whole(|| Box::new(GradientXInput)),
    },
    ExplainerInfo {
        word: "smoothgrad",
        title: "SmoothGrad",
        sentence: "the mean input gradient of noisy copies; 50 passes and back",
        source: "Smilkov et al. 2017",
        make: Make::Whole(|| Box::new(SmoothGrad::default())),
    },
    ExplainerInfo {
        word: "integrated-gradients",
        title: "integrated gradients",
        sentence: "each pixel's share of the logit, summed on the way from the mean colour; 50 passes and back",
        source: "Sundararajan, Taly and Yan 2017",
        make: Make::Whole(|| Box::new(IntegratedGradients::default())),
    },
    ExplainerInfo {
        word: "rollout",
        title: "attention rollout",
        sentence: "the attention of all blocks multiplied, for no class in particular; ViTs only",
        source: "Abnar and Zuidema 2020",
        make: Make::Whole(|| Box::new(Rollout)),
    },
    ExplainerInfo {
        word: "attention",
        title: "gradient-weighted attention",
        sentence: "the attention of all blocks, each weighted by its positive gradient, multiplied; ViTs only",
        source: "Chefer, Gur and Wolf 2021",
        make: Make::Whole(|| Box::new(Attention)),
    },
    ExplainerInfo {
        word: "rise",
        title: "RISE",
        sentence: "random masks weighted by the probability of the input seen through each; 1000 passes",
        source: "Petsiuk, Das and Saenko 2018",
        make: Make::Whole(|| Box::new(Rise::default())),
    },
    ExplainerInfo {
        word: "random",
        title: "random map",
        sentence: "uniform noise at a node's resolution",
        source: "a floor, to be beaten",
        make: Make::AtNode(|node| Box::new(RandomMap { node })),
    },
    ExplainerInfo {
        word: "centre",
        title: "centre prior",
        sentence: "a Gaussian on the picture's centre",
        source: "a floor, to be beaten",
        make: Make::Whole(|| Box::new(CenterPrior)),
    },
];

/// Finds the built-in explainer of a word, with or without a node.
pub(crate) fn find(word: &str) -> Option<&'static ExplainerInfo> {
    let name = word.split_once(':').map_or(word, |(name, _)| name);
    EXPLAINERS.iter().find(|one| one.word == name)
}

/// The explainer of a word, as [`Explain::id`] writes it: "gradcam", or "gradcam:NODE" to look from another node than
/// the model's own.
///
/// # Errors
/// [`ExplainError::Word`] for a word that is none of [`EXPLAINERS`], a colon without a node, and a node where none is
/// taken. Whether a model has the node is not known here.
pub fn parse(word: &str) -> Result<Box<dyn Explain>, ExplainError> {
    let fail = |reason| {
        let known =
            |one: &ExplainerInfo| if one.takes_node() { format!("{}[:NODE]", one.word) } else { one.word.to_owned() };
        let known: Vec<String> = EXPLAINERS.iter().map(known).collect();
        ExplainError::Word { word: word.to_owned(), reason, known: known.join(", ") }
    };
    let (name, node) = match word.split_once(':') {
        None => (word, None),
        Some((_, "")) => return Err(fail("no node follows the colon")),
        Some((name, node)) => (name, Some(node.to_owned())),
    };
    let one = EXPLAINERS.iter().find(|one| one.word == name).ok_or_else(|| fail("no such word"))?;
    match (one.make, node) {
        (Make::AtNode(make), node) => Ok(make(node)),
        (Make::Whole(make), None) => Ok(make()),
        (Make::Whole(_), Some(_)) => Err(fail("it looks from no node")),
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
    fn unknown_words_are_told_the_known_ones() {
        let check = |word: &str, part: &str| {
            let error = parse(word).err().unwrap().to_string();
            assert!(error.contains(part) && error.contains("gradcam[:NODE]"), "{error}");
        };
        check("grad-cam", "unknown explainer \"grad-cam\": no such word");
        check("gradcam:", "no node follows");
        check("", "no such word");
        check("centre:layer3", "it looks from no node");
    }
}
