//! Creates archives byte by byte, so that tests can also create invalid ones.

#![allow(dead_code, reason = "each test file uses some of them")]

use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::io::{Cursor, Write};
use std::sync::Arc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// File contents by name.
pub(crate) type Files<'a> = &'a [(&'a str, Vec<u8>)];

/// Encodes an image of one color as PNG.
pub(crate) fn image_file(height: u32, width: u32, value: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(width, height, image::Rgb([value; 3]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Creates a zip. Every other file is deflated.
pub(crate) fn zip(files: Files<'_>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (name, bytes)) in files.iter().enumerate() {
        let method = [CompressionMethod::Deflated, CompressionMethod::Stored][i % 2];
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Replaces each `from` by `to` of the same length, to create what no writer would write. Returns the number of places.
pub(crate) fn patch(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, w)| *w == from).map(|(i, _)| i).collect();
    for &at in &places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    places.len()
}

/// Creates the header of a tar entry with the size that it claims.
pub(crate) fn tar_header(name: &[u8], kind: u8, size: u64) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut header);
    header
}

/// Writes the checksum of a header.
pub(crate) fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Creates a tar entry: header, bytes and padding.
pub(crate) fn tar_entry(name: &[u8], kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut entry = tar_header(name, kind, bytes.len() as u64);
    entry.extend(bytes);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

/// Creates a tar of plain files.
pub(crate) fn tar(files: Files<'_>) -> Vec<u8> {
    let mut tar: Vec<u8> = files.iter().flat_map(|(name, bytes)| tar_entry(name.as_bytes(), b'0', bytes)).collect();
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// Compresses bytes with gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A column of byte strings, some of which may be missing.
pub(crate) type Cells = Vec<Option<Vec<u8>>>;

/// Creates a parquet file with the optional columns `image.bytes` and `image.path`, or as `schema` names them, and the
/// label 0 in each row. Row groups have two rows.
pub(crate) fn parquet(schema: &str, bytes: &Cells, paths: &Cells) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut out = Vec::new();
    let mut file = SerializedFileWriter::new(&mut out, schema, Arc::new(WriterProperties::default())).unwrap();
    for (bytes, paths) in bytes.chunks(2).zip(paths.chunks(2)) {
        let mut group = file.next_row_group().unwrap();
        for cells in [bytes, paths] {
            let mut column = group.next_column().unwrap().unwrap();
            let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() else {
                panic!("a column of byte strings")
            };
            let values: Vec<ByteArray> = cells.iter().flatten().map(|cell| ByteArray::from(cell.clone())).collect();
            // The struct and its field are optional, so present values have the level 2.
            let levels: Vec<i16> = cells.iter().map(|cell| if cell.is_some() { 2 } else { 1 }).collect();
            writer.write_batch(&values, Some(&levels), None).unwrap();
            column.close().unwrap();
        }
        let mut column = group.next_column().unwrap().unwrap();
        let ColumnWriter::Int64ColumnWriter(writer) = column.untyped() else { panic!("a column of labels") };
        writer.write_batch(&vec![0; bytes.len()], Some(&vec![1; bytes.len()]), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    file.close().unwrap();
    out
}

/// The schema of Hugging Face's imagenet-1k.
pub(crate) const SHARD: &str = "message schema { optional group image { optional binary bytes; optional binary path (UTF8); } optional int64 label; }";
