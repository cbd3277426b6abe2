//! Writes the messages of the benchmark `taxii` into a folder, for peers that are no Rust.

use bindery_benches::taxii::Shape;

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    std::fs::create_dir_all(&folder)?;
    for shape in Shape::ALL {
        std::fs::write(format!("{folder}/{}.xml", shape.name()), shape.message())?;
    }
    Ok(())
}
