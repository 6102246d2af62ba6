use super::charset::MultiByte;
use super::*;
use encoding_rs::Encoding;

/// Names as people in each country give them to photos, an archive a line.
const JAPANESE: &[&[&str]] = &[
    &["表.jpg", "ソ.jpg", "予定/能.jpg", "猫.jpg"],
    &["写真.jpg"],
    &["新しいフォルダー/桜の写真.jpg", "新しいフォルダー/富士山.jpg"],
    &["猫.png", "犬.png"],
    &["ソニー/表示.jpg", "十五夜.jpg"],
    &["京都旅行/清水寺.jpg", "京都旅行/金閣寺.jpg"],
    &["犬.jpg"],
    &["うちの猫.jpg"],
    &["家族写真/誕生日.jpg"],
    &["カメラ/ネコ.jpg"],
    &["東京タワー.jpg"],
    &["卒業式.jpg"],
    &["構造/申請書/貼付.jpg"],
    &["運動会2019.jpg", "スクリーンショット 2020-01-01.png"],
];
const SIMPLIFIED: &[&[&str]] = &[
    &["照片.jpg"],
    &["新建文件夹/微信图片_20200101.jpg"],
    &["我的猫.jpg", "北京/天安门.jpg", "长城.jpg"],
    &["桌面/截图.png", "风景.jpg"],
    &["春节/全家福.jpg"],
    &["猫.jpg", "狗.jpg", "花.jpg"],
    &["联通.jpg"],
    &["宝宝百日照.jpg", "宝宝一岁.jpg"],
    &["小区门口.jpg"],
    &["北海公园/白塔.jpg"],
    &["IMG_猫咪.jpg"],
    &["我家的狗.jpg"],
    &["猫.jpg"],
];
const TRADITIONAL: &[&[&str]] = &[
    &["照片.jpg", "我的貓.jpg"],
    &["新增資料夾/風景.jpg", "新增資料夾/台北101.jpg"],
    &["許功蓋.jpg"],
    &["螢幕擷取畫面.png"],
    &["家人/生日快樂.jpg", "家人/聖誕節.jpg"],
    &["貓.jpg", "狗.jpg", "花.jpg"],
    &["陽明山.jpg"],
    &["畢業典禮/合照.jpg"],
    &["日月潭.jpg"],
    &["貓.jpg"],
    &["功能/許.jpg", "功能/蓋.jpg"],
];
const KOREAN: &[&[&str]] = &[
    &["사진.jpg"],
    &["새 폴더/고양이.jpg", "새 폴더/강아지.jpg"],
    &["스크린샷 2020.png"],
    &["제주도 여행/바다.jpg", "제주도 여행/한라산.jpg"],
    &["가족사진.jpg"],
    &["고양이.jpg"],
    &["엄마 생일/케이크.jpg"],
    &["꽃.jpg", "나무.jpg"],
    &["결혼식/단체사진.jpg"],
    &["우리집 강아지.jpg"],
    &["봄/벚꽃.jpg"],
];
const WESTERN: &[&[&str]] = &[
    &["täglich.jpg", "Übung/größer.jpg"],
    &["café.jpg"],
    &["été/plage à Nîmes.jpg"],
    &["niño.jpg", "año nuevo/corazón.jpg"],
    &["süß.jpg"],
    &["Ängström.jpg"],
    &["10° kalt.jpg"],
    &["Straße.jpg"],
    &["½ Pfund.jpg"],
    &["Grüße aus Köln/Dom über dem Rhein.jpg"],
    &["château d'Amboise.jpg", "forêt.jpg"],
    &["DÜSSELDORF.jpg"],
    &["Ünal/çay.jpg"],
    &["piñata ¡olé!.jpg"],
];

fn encoded(names: &[&str], encoding: &'static Encoding) -> Vec<Vec<u8>> {
    let one = |name: &&str| {
        let (bytes, _, lost) = encoding.encode(name);
        assert!(!lost, "{name} is not in {}", encoding.name());
        bytes.into_owned()
    };
    names.iter().map(one).collect()
}

/// The names, which come out in each way alike.
fn read(names: &[Vec<u8>], rest: SingleByte) -> Vec<String> {
    let slices: Vec<_> = names.iter().map(Vec::as_slice).collect();
    let decoded = decode(&slices, rest);
    if let Some(plain) = plain(&slices) {
        assert_eq!(plain, decoded);
    }
    assert_eq!(answers(&answer(&question(&slices, rest)).unwrap()).unwrap(), decoded);
    decoded
}

#[test]
fn most_archives_names_need_no_tables() {
    for names in [&[][..], &["a.jpg", "folder/b.png"], &["猫.jpg"], &["täglich.jpg"]] {
        let names: Vec<_> = names.iter().map(|name| name.as_bytes()).collect();
        assert!(plain(&names).is_some(), "{names:?}");
    }
    // Not UTF-8, or not for sure.
    for name in [&b"\x82\xa0.jpg"[..], "Кот.jpg".as_bytes()] {
        assert!(plain(&[name]).is_none(), "{name:?}");
    }
}

#[test]
fn what_is_no_question_or_answer_is_told() {
    for bytes in [&[][..], &[2], &[0, 1, 0, 0], &[0, 1, 0, 0, 0], &[0, 255, 255, 255, 255, 97]] {
        assert_eq!(answer(bytes), None, "{bytes:?}");
    }
    assert_eq!(answer(&[0]).as_deref(), Some(&[][..]));
    for bytes in [&[1, 0, 0][..], &[1, 0, 0, 0], &[1, 0, 0, 0, 0xff]] {
        assert_eq!(answers(bytes), None, "{bytes:?}");
    }
}

/// The names of [`WESTERN`] in code page 437, by the letters that are in it.
fn in_cp437(name: &str) -> Vec<u8> {
    let all: Vec<u8> = (0..=255).collect();
    let table: Vec<char> = cp437::decode(&all).chars().collect();
    let byte =
        |letter: char| table.iter().position(|one| *one == letter).expect("a letter of the code page") as u8;
    name.chars().map(byte).collect()
}

#[test]
fn names_come_out_as_they_were_given() {
    let mut wrong = Vec::new();
    for (set, archives) in [
        (MultiByte::ShiftJis, JAPANESE),
        (MultiByte::Gbk, SIMPLIFIED),
        (MultiByte::Big5, TRADITIONAL),
        (MultiByte::EucKr, KOREAN),
    ] {
        for archive in archives {
            let read = read(&encoded(archive, set.encoding()), SingleByte::Cp437);
            if read != *archive {
                wrong.push(format!("{set:?} {archive:?}: {read:?}"));
            }
        }
    }
    for archive in WESTERN {
        let bytes: Vec<_> = archive.iter().map(|name| in_cp437(name)).collect();
        let read = read(&bytes, SingleByte::Cp437);
        if read != *archive {
            wrong.push(format!("437 {archive:?}: {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn all_names_of_an_archive_decide_together() {
    // By itself the first could be of several sets.
    let names = ["猫.jpg", "うちの猫が寝ている.jpg", "IMG_0001.JPG"];
    let bytes = encoded(&names, encoding_rs::SHIFT_JIS);
    assert_eq!(read(&bytes, SingleByte::Cp437), names);
}

#[test]
fn utf_8_needs_no_declaration() {
    let archives: [&[&str]; 7] = [
        &["猫.jpg", "täglich.jpg", "사진.jpg", "😀.jpg"],
        &["täglich.jpg"],
        &["Кот.jpg"],
        &["été/plage à Nîmes.jpg"],
        &["10° kalt.jpg"],
        &["γάτα.jpg"],
        &["e\u{301}te\u{301}.jpg"],
    ];
    for names in archives {
        let bytes: Vec<_> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        assert_eq!(read(&bytes, SingleByte::Cp437), names);
    }
}

/// These end in the byte of a backslash and are in no everyday use.
#[test]
fn rare_letters_are_not_cut_at_their_second_byte() {
    for names in [&["誠.jpg", "昞.jpg"][..], &["俓.jpg"], &["照片誠.jpg", "乗.jpg", "塡/僜.jpg"]] {
        assert_eq!(read(&encoded(names, encoding_rs::GBK), SingleByte::Cp437), names);
    }
    // Folders of a western name, separated in Windows' way.
    let western = [b"Caf\x82\\a.jpg".to_vec(), b"Caf\x82\\.hidden".to_vec()];
    assert_eq!(read(&western, SingleByte::Cp437), ["Café\\a.jpg", "Café\\.hidden"]);
}

#[test]
fn russian_names_are_in_its_own_code_page() {
    let names = ["Кот на окне.jpg", "Фото/Лето 2019.jpg", "IMG_1.JPG"];
    assert_eq!(read(&encoded(&names, encoding_rs::IBM866), SingleByte::Cp437), names);
}

#[test]
fn accents_of_other_code_pages_are_not_taken_for_chinese() {
    // "Árvore", "São" and "coração" in code page 850.
    let read = read(
        &[b"\xb5rvore.jpg".to_vec(), b"S\xc6o.jpg".to_vec(), b"cora\x87\xc6o".to_vec()],
        SingleByte::Cp437,
    );
    assert_eq!(read, ["╡rvore.jpg", "S╞o.jpg", "coraç╞o"]);
}

#[test]
fn one_odd_name_spoils_no_other() {
    let bytes =
        [b"caf\xe9.jpg".to_vec(), "😀.jpg".as_bytes().to_vec(), "\u{202e}gpj.jpg".as_bytes().to_vec()];
    assert_eq!(read(&bytes, SingleByte::Windows1252), ["café.jpg", "😀.jpg", "\u{202e}gpj.jpg"]);
}

#[test]
fn one_broken_name_among_many_spoils_no_other() {
    let names = [
        "相册/生日.jpg",
        "相册/爸爸.jpg",
        "相册/妈妈.jpg",
        "旅游/长城.jpg",
        "旅游/故宫.jpg",
        "旅游/西湖.jpg",
        "桌面.jpg",
        "风景.jpg",
    ];
    let mut bytes = encoded(&names, encoding_rs::GBK);
    bytes.push(b"\xcf\xe0\xb2.jpg".to_vec());
    let read = read(&bytes, SingleByte::Cp437);
    assert_eq!(read[..8], names);
    assert!(read[8].ends_with(".jpg"), "{read:?}");
}

#[test]
fn nothing_is_said_of_no_names() {
    assert_eq!(guess(&[], SingleByte::Cp437), Charset::Utf8);
    assert_eq!(guess(&[b"a.jpg", b""], SingleByte::Cp437), Charset::Utf8);
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_as_many_names(names in proptest::collection::vec(proptest::collection::vec(0u8.., 0..20), 0..8)) {
        let read = read(&names, SingleByte::Cp437);
        assert_eq!(read.len(), names.len());
        for (read, name) in read.iter().zip(&names) {
            assert!(!name.is_ascii() || read.as_bytes() == &name[..]);
        }
    }
}
