//! Letters in everyday use. Chinese in GBK and Korean in EUC-KR share most of their bytes, so that of a short name only
//! the letters tell which it is.

use super::charset::MultiByte;

const HANGUL: &str = "이다는의에을가고하지를로은서사한인도어기자대나시아그리수일정있주부장보전게과해제상성만구오들라여원동안스공우무\
    선마유비경신학생화년조연강미국위문물개실회발소금영중모방세관내명민저산용양반분차당치계결재심역말면통번달입진법려단작\
    현행식요청야건배출간교품노래월남북천음트적람터초김각집점등설직합글운길형불격열술약육본업총절투특최호새박크드카더바피루\
    르니티타파포프메뉴컴퓨속표토추축친족러버별봄름울밤낮꽃좋엄빠화폴더진즘캡처샷린클립";

const HANZI: &str = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而\
    方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还\
    因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问\
    意建月公无系很情者最立代想已通并提直题程展五果料象员位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知将\
    组见计别她手角期根论运农指几九区强放西做必先回任取据处队南给色光门即保北造百规热七海口东导器世金交受联什认六共收证\
    改清己美再采转更单风切打白教速花带安场身车例真务具万每目至走声报完类八离华名确才科张信马节话米整空元今集传土步群广\
    石记需段研界林且究观越织装影算低持音众书布复容儿商非连断深难近千周素技备半办青省列习响约支史感便团往历市何消构府称\
    太准精值号族维选标写存候毛亲快院查江型眼王格养易置片始专状育厂京识适属圆包火住调满县局照参红引听铁微信截屏幕桌夹册\
    旅游景春夏秋冬福猫狗鸟鱼树草桥湖河园古镇城宝婚礼毕聚食雪雨拍摄载朋友妈爸爱笑夜晚早餐厅楼街村庄庙塔寺船飞";

/// What share of the letters outside ASCII are in everyday use; none for sets that no other shares bytes with.
pub fn share(names: &[String], set: MultiByte) -> Option<f64> {
    let everyday = match set {
        MultiByte::Gbk => HANZI,
        MultiByte::EucKr => HANGUL,
        MultiByte::Big5 | MultiByte::ShiftJis => return None,
    };
    let letters = || names.iter().flat_map(|name| name.chars()).filter(|letter| !letter.is_ascii());
    let usual = letters().filter(|letter| everyday.contains(*letter)).count();
    Some(usual as f64 / letters().count().max(1) as f64)
}
