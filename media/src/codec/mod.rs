//! Codecs: from payload to samples and back.
