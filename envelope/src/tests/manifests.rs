use super::*;

fn check(change: impl FnOnce(&mut Manifest)) -> ManifestProblem {
    let mut manifest = manifest(&device(1));
    change(&mut manifest);
    manifest.check().unwrap_err()
}

#[test]
fn each_contradiction_is_named() {
    use ManifestProblem as P;
    assert_eq!(check(|m| m.schema_version = 9), P::SchemaVersion(9));
    assert_eq!(check(|m| m.services.clear()), P::NoService);
    assert_eq!(check(|m| m.services.push("reporting".into())), P::DoubledService);
    assert_eq!(check(|m| m.kind = Kind::Correction), P::Correction);
    assert_eq!(
        check(|m| {
            m.correction = Some(CorrectionOf { case_id: "1".into(), answers: Vec::new() });
        }),
        P::Correction
    );
    let share = |m: &mut Manifest, change: &dyn Fn(&mut DepartmentShare)| {
        change(m.departments.get_mut("veterans_affairs").unwrap());
    };
    assert_eq!(check(|m| share(m, &|s| s.services.clear())), P::ServiceShare);
    assert_eq!(
        check(|m| share(m, &|s| s.services.push("social_security_card".into()))),
        P::ServiceShare
    );
    assert_eq!(
        check(|m| share(m, &|s| s.services.push("medical_insurance".into()))),
        P::ServiceShare
    );
    assert_eq!(check(|m| share(m, &|s| s.fields.push("health".into()))), P::FieldShare);
    assert_eq!(check(|m| share(m, &|s| s.materials.push("party_letter".into()))), P::MaterialShare);
    assert_eq!(check(|m| m.materials[0].page = 0), P::Page);
    assert_eq!(check(|m| m.materials.push(m.materials[0].clone())), P::Page);
    assert_eq!(
        check(|m| {
            m.materials.push(m.materials[0].clone());
            m.materials[1].page = 2;
        }),
        P::DoubledFile
    );
    for name in ["manifest.json", "../x", "a/b", "", ".x", "样本.jpg"] {
        assert_eq!(check(|m| m.materials[0].name = name.into()), P::FileName, "{name}");
    }
    assert_eq!(
        check(|m| {
            m.declaration.signature_strokes =
                Some(AttachmentRef::describe("manifest.json", "image/svg+xml", b""));
        }),
        P::FileName
    );
}

#[test]
fn debug_tells_nothing_about_the_person() {
    let shown = format!("{:?}", manifest(&device(1)));
    for planted in ["样本", "1101", "1380", "self_directed", "reporting", "icbc"] {
        assert!(!shown.contains(planted), "{shown}");
    }
    assert!(shown.contains(&SUBMISSION.to_string()));
}

#[test]
fn sealing_refuses_what_opening_would() {
    let (device, office) = (device(1), office("office-1", 2));
    let failure = |change: &dyn Fn(&mut Manifest, &mut Vec<Attachment>)| {
        let (mut manifest, mut files) = (manifest(&device), attachments());
        change(&mut manifest, &mut files);
        let mut out = Vec::new();
        let mut request = request(&device, office.public(), &manifest, &files);
        request.submission_id = SUBMISSION;
        let error = seal(&request, &mut out).unwrap_err();
        assert!(out.is_empty(), "nothing may be written before all is checked");
        assert!(!error.cure().is_empty());
        error.code()
    };
    assert_eq!(failure(&|m, _| m.services.clear()), "manifest_invalid");
    assert_eq!(failure(&|m, _| m.submission_id = OTHER_SUBMISSION), "manifest_disagrees");
    assert_eq!(failure(&|m, _| m.device_id = super::device(3).device_id()), "manifest_disagrees");
    assert_eq!(failure(&|_, files| files.clear()), "manifest_disagrees");
    assert_eq!(failure(&|_, files| files[0].bytes = vec![0].into()), "manifest_disagrees");
    assert_eq!(failure(&|_, files| files.push(files[0].clone())), "attachment_name");
    assert_eq!(failure(&|_, files| files[0].name = "../x".into()), "attachment_name");
    assert_eq!(failure(&|_, files| files[0].name = "manifest.json".into()), "attachment_name");
    assert_eq!(
        failure(&|m, _| {
            m.fields.insert("name".into(), "样".repeat(2 << 20).into());
        }),
        "too_large"
    );
    assert_eq!(failure(&|_, files| files[0].bytes = vec![0; 65 << 20].into()), "too_large");
    assert_eq!(
        failure(&|_, files| {
            *files = (0..201)
                .map(|n| Attachment { name: n.to_string(), bytes: Vec::new().into() })
                .collect();
        }),
        "too_large"
    );
}

#[test]
fn an_id_of_another_kind_and_a_useless_key_are_refused() {
    let (device, office) = (device(1), office("office-1", 2));
    let files = attachments();
    let mut manifest = manifest(&device);
    manifest.submission_id = Uuid::from_u128(0x1234_5678_1234_4234_8234_1234_5678_1234);
    let error =
        seal(&request(&device, office.public(), &manifest, &files), std::io::sink()).unwrap_err();
    assert_eq!(error.code(), "submission_id");

    manifest.submission_id = SUBMISSION;
    let zero = office
        .public()
        .to_json()
        .unwrap()
        .replace(&hex::encode(office.public().public_key()), &"00".repeat(32));
    let zero = RecipientPublic::from_json(&zero).unwrap();
    let error = seal(&request(&device, &zero, &manifest, &files), std::io::sink()).unwrap_err();
    assert_eq!(error.code(), "recipient_key");
}
