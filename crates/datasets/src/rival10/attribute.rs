macro_rules! attributes {
    ($($variant:ident $name:literal,)*) => {
        /// One of RIVAL10's 18 visual attributes, in the order of its label vectors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names describe the attributes")]
        pub enum Attribute {
            $($variant),*
        }

        impl Attribute {
            /// All attributes, in order.
            pub const ALL: [Self; 18] = [$(Self::$variant),*];

            /// Returns RIVAL10's name for the attribute: "long-snout".
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }
    };
}

attributes! {
    LongSnout "long-snout",
    Wings "wings",
    Wheels "wheels",
    Text "text",
    Horns "horns",
    FloppyEars "floppy-ears",
    Ears "ears",
    ColoredEyes "colored-eyes",
    Tail "tail",
    Mane "mane",
    Beak "beak",
    Hairy "hairy",
    Metallic "metallic",
    Rectangular "rectangular",
    Wet "wet",
    Long "long",
    Tall "tall",
    Patterned "patterned",
}
