//! ONNX models against what the libraries that grew them say themselves, and files that are none.

#[cfg(test)]
mod held_to_python {
    use barograph_models::{OnnxFault, OnnxModel};
    use std::path::{Path, PathBuf};

    fn file(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/onnx").join(name)
    }

    /// Rows as they are given, and what Python says of each.
    #[cfg(feature = "onnx")]
    fn table(name: &str) -> (Vec<f32>, Vec<Vec<f64>>) {
        let text = std::fs::read_to_string(file(name)).unwrap();
        let mut lines = text.lines();
        let inputs = lines.next().unwrap().split(',').filter(|c| c.starts_with('x')).count();
        let (mut rows, mut said) = (Vec::new(), Vec::new());
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            rows.extend(cells[..inputs].iter().map(|c| if c.is_empty() { f32::NAN } else { c.parse().unwrap() }));
            said.push(cells[inputs..].iter().map(|c| c.parse().unwrap()).collect());
        }
        (rows, said)
    }

    #[cfg(feature = "onnx")]
    #[test]
    fn models_say_what_python_says_to_a_millionth() {
        for name in ["sklearn_binary", "lightgbm_classes", "sklearn_number"] {
            let model = OnnxModel::open(&file(&format!("{name}.onnx"))).unwrap();
            let (rows, said) = table(&format!("{name}.csv"));
            // More rows than a batch: the last one is not full.
            let asked = rows.repeat(2);
            let got = model.answers(&asked).unwrap();
            assert_eq!((model.columns(), got.len()), (6, 260), "{name}");
            let pairs = got.iter().zip(said.iter().chain(&said));
            let worst = pairs.flat_map(|(g, s)| {
                assert_eq!(g.len(), s.len(), "{name}");
                g.iter().zip(s).map(|(g, s)| (g - s).abs())
            });
            let worst = worst.fold(0.0, f64::max);
            assert!(worst < 1e-6, "{name}: {worst:e}");
        }
    }

    #[cfg(feature = "onnx")]
    #[test]
    fn what_is_no_table_is_refused_in_a_sentence() {
        let zipmap = OnnxModel::open(&file("zipmap.onnx")).unwrap_err().to_string();
        assert!(zipmap.contains("zipmap") || zipmap.contains("ZipMap"), "{zipmap}");
        let numbers = OnnxModel::open(&file("forest_of_numbers.onnx")).unwrap_err().to_string();
        assert!(numbers.contains("TreeEnsembleRegressor"), "{numbers}");
        assert!(matches!(OnnxModel::open(&file("README.md")), Err(OnnxFault::Unread(_))));
        assert!(matches!(OnnxModel::open(&file("nothing.onnx")), Err(OnnxFault::Unread(_))));
        let model = OnnxModel::open(&file("sklearn_binary.onnx")).unwrap();
        assert!(matches!(model.answers(&[0.0; 7]), Err(OnnxFault::Form(_))));
        assert_eq!(model.answers(&[]).unwrap(), Vec::<Vec<f64>>::new());
    }

    #[cfg(not(feature = "onnx"))]
    #[test]
    fn a_build_without_the_library_names_the_one_that_has_it() {
        let refused = OnnxModel::open(&file("sklearn_binary.onnx")).unwrap_err();
        assert_eq!(refused, OnnxFault::NotBuilt);
        assert!(refused.to_string().contains("--features onnx"), "{refused}");
    }
}
