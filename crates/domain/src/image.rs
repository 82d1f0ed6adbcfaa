//! Pictures of articles.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{fault::Fault, text_enum, usage::Meter};

text_enum! {
    /// Where a picture comes from.
    ImageSource {
        /// Sent by a client.
        Upload = "upload",
        /// From a provider of stock photos.
        Stock = "stock",
        /// Made by a model.
        Ai = "ai",
        /// The rendered title card.
        Card = "card",
        /// From a source of the text.
        Article = "article",
    }
}

text_enum! {
    /// What becomes of the pictures that stand in the sources of a text. They are others' work: whoever has them published
    /// needs the right to do so, so nothing but their order puts them into a text.
    #[derive(Default)]
    SourceImages {
        /// They are not looked at.
        None = "none",
        /// They are kept with the article, and do not stand in its text.
        #[default]
        Offer = "offer",
        /// They stand behind what was written from the passage next to them, with their caption and their source.
        Place = "place",
    }
}

text_enum! {
    /// Who gives stock photos.
    #[derive(Default)]
    PhotoProvider {
        #[default]
        Pexels = "pexels",
    }
}

text_enum! {
    /// Pixels of a picture that a model is asked for; the last two are of models that are no more.
    ImageSize {
        Square = "1024x1024",
        Portrait = "1024x1536",
        Landscape = "1536x1024",
        OldLandscape = "1792x1024",
        OldPortrait = "1024x1792",
    }
}

text_enum! {
    ImageQuality { Standard = "standard", Hd = "hd" }
}

text_enum! {
    ImageStyle { Natural = "natural", Vivid = "vivid" }
}

/// What a model is asked to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRequest {
    pub prompt: String,
    pub size: ImageSize,
    pub quality: ImageQuality,
    pub style: ImageStyle,
}

/// A model that makes pictures. Dropping the future drops the call; every call is recorded in the meter.
#[async_trait]
pub trait ImageModel: Send + Sync + std::fmt::Debug {
    /// For output and logs.
    fn name(&self) -> &str;

    /// The bytes of a picture, in whatever format. A prompt that the model's rules refuse is a permanent fault with the code
    /// of a wrong request; nothing else has that code.
    async fn make(&self, request: &ImageRequest, meter: &Meter) -> Result<Vec<u8>, Fault>;
}
