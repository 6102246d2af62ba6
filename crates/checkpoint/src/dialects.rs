//! The dialects in which checkpoints name a BEiT's tensors: one table each, beside our own names
//! (timm's). The only place that knows foreign names.

/// A naming scheme, recognised by the tensors' names alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// timm and unilm: `blocks.0.norm1.weight`.
    Timm,
    /// ModelScope's `BEiTv2`: `backbone.blocks.0.norm1.weight`.
    ModelScope,
    /// mmpretrain's `BEiTViT`: `backbone.layers.0.ln1.weight`.
    Mmpretrain,
    /// transformers up to 4 and the Hugging Face hub: `beit.encoder.layer.0.layernorm_before.weight`.
    Transformers4,
    /// transformers 5: `beit.layers.0.layernorm_before.weight`.
    Transformers5,
}

/// One of our tensors and what a dialect calls it. Several names: the parts, whose rows are joined.
type Row = (&'static str, &'static [&'static str]);

struct Table {
    dialect: Dialect,
    /// What stands before the block's number.
    block_prefix: &'static str,
    /// Names inside a block.
    block: &'static [Row],
    /// Names outside the blocks.
    outside: &'static [Row],
    /// What pre-training leaves outside the blocks, and in each.
    leftovers: &'static [&'static str],
    leftover_in_block: &'static str,
}

const TABLES: [Table; 5] = [TIMM, MODELSCOPE, MMPRETRAIN, TRANSFORMERS4, TRANSFORMERS5];

const TIMM: Table = Table {
    dialect: Dialect::Timm,
    block_prefix: "blocks.",
    block: TIMM_BLOCK,
    outside: &[
        ("cls_token", &["cls_token"]),
        ("pos_embed", &["pos_embed"]),
        ("patch_embed.proj.weight", &["patch_embed.proj.weight"]),
        ("patch_embed.proj.bias", &["patch_embed.proj.bias"]),
        ("fc_norm.weight", &["fc_norm.weight"]),
        ("fc_norm.bias", &["fc_norm.bias"]),
        ("head.weight", &["head.weight"]),
        ("head.bias", &["head.bias"]),
    ],
    leftovers: &["mask_token", "norm.weight", "norm.bias", "lm_head.weight", "lm_head.bias"],
    leftover_in_block: K_BIAS,
};

/// A bias of the keys adds the same to every score of a query, which the softmax takes away again.
const K_BIAS: &str = "attn.k_bias";

const TIMM_BLOCK: &[Row] = &[
    ("norm1.weight", &["norm1.weight"]),
    ("norm1.bias", &["norm1.bias"]),
    ("attn.qkv.weight", &["attn.qkv.weight"]),
    ("attn.q_bias", &["attn.q_bias"]),
    ("attn.v_bias", &["attn.v_bias"]),
    ("attn.relative_position_bias_table", &["attn.relative_position_bias_table"]),
    ("attn.proj.weight", &["attn.proj.weight"]),
    ("attn.proj.bias", &["attn.proj.bias"]),
    ("gamma_1", &["gamma_1"]),
    ("norm2.weight", &["norm2.weight"]),
    ("norm2.bias", &["norm2.bias"]),
    ("mlp.fc1.weight", &["mlp.fc1.weight"]),
    ("mlp.fc1.bias", &["mlp.fc1.bias"]),
    ("mlp.fc2.weight", &["mlp.fc2.weight"]),
    ("mlp.fc2.bias", &["mlp.fc2.bias"]),
    ("gamma_2", &["gamma_2"]),
];

const MODELSCOPE: Table = Table {
    dialect: Dialect::ModelScope,
    block_prefix: "backbone.blocks.",
    block: TIMM_BLOCK,
    outside: &[
        ("cls_token", &["backbone.cls_token"]),
        ("pos_embed", &["backbone.pos_embed"]),
        ("patch_embed.proj.weight", &["backbone.patch_embed.proj.weight"]),
        ("patch_embed.proj.bias", &["backbone.patch_embed.proj.bias"]),
        ("fc_norm.weight", &["backbone.fc_norm.weight"]),
        ("fc_norm.bias", &["backbone.fc_norm.bias"]),
        ("head.weight", &["head.fc.weight"]),
        ("head.bias", &["head.fc.bias"]),
    ],
    leftovers: &["backbone.mask_token", "backbone.norm.weight", "backbone.norm.bias"],
    leftover_in_block: K_BIAS,
};

const MMPRETRAIN: Table = Table {
    dialect: Dialect::Mmpretrain,
    block_prefix: "backbone.layers.",
    block: &[
        ("norm1.weight", &["ln1.weight"]),
        ("norm1.bias", &["ln1.bias"]),
        ("attn.qkv.weight", &["attn.qkv.weight"]),
        ("attn.q_bias", &["attn.q_bias"]),
        ("attn.v_bias", &["attn.v_bias"]),
        ("attn.relative_position_bias_table", &["attn.relative_position_bias_table"]),
        ("attn.proj.weight", &["attn.proj.weight"]),
        ("attn.proj.bias", &["attn.proj.bias"]),
        ("gamma_1", &["gamma_1"]),
        ("norm2.weight", &["ln2.weight"]),
        ("norm2.bias", &["ln2.bias"]),
        ("mlp.fc1.weight", &["ffn.layers.0.0.weight"]),
        ("mlp.fc1.bias", &["ffn.layers.0.0.bias"]),
        ("mlp.fc2.weight", &["ffn.layers.1.weight"]),
        ("mlp.fc2.bias", &["ffn.layers.1.bias"]),
        ("gamma_2", &["gamma_2"]),
    ],
    outside: &[
        ("cls_token", &["backbone.cls_token"]),
        ("pos_embed", &["backbone.pos_embed"]),
        ("patch_embed.proj.weight", &["backbone.patch_embed.projection.weight"]),
        ("patch_embed.proj.bias", &["backbone.patch_embed.projection.bias"]),
        ("fc_norm.weight", &["backbone.ln2.weight"]),
        ("fc_norm.bias", &["backbone.ln2.bias"]),
        ("head.weight", &["head.fc.weight"]),
        ("head.bias", &["head.fc.bias"]),
    ],
    leftovers: &["backbone.mask_token", "backbone.ln1.weight", "backbone.ln1.bias"],
    leftover_in_block: K_BIAS,
};

const TRANSFORMERS4: Table = Table {
    dialect: Dialect::Transformers4,
    block_prefix: "beit.encoder.layer.",
    block: &[
        ("norm1.weight", &["layernorm_before.weight"]),
        ("norm1.bias", &["layernorm_before.bias"]),
        (
            "attn.qkv.weight",
            &[
                "attention.attention.query.weight",
                "attention.attention.key.weight",
                "attention.attention.value.weight",
            ],
        ),
        ("attn.q_bias", &["attention.attention.query.bias"]),
        ("attn.v_bias", &["attention.attention.value.bias"]),
        (
            "attn.relative_position_bias_table",
            &["attention.attention.relative_position_bias.relative_position_bias_table"],
        ),
        ("attn.proj.weight", &["attention.output.dense.weight"]),
        ("attn.proj.bias", &["attention.output.dense.bias"]),
        ("gamma_1", &["lambda_1"]),
        ("norm2.weight", &["layernorm_after.weight"]),
        ("norm2.bias", &["layernorm_after.bias"]),
        ("mlp.fc1.weight", &["intermediate.dense.weight"]),
        ("mlp.fc1.bias", &["intermediate.dense.bias"]),
        ("mlp.fc2.weight", &["output.dense.weight"]),
        ("mlp.fc2.bias", &["output.dense.bias"]),
        ("gamma_2", &["lambda_2"]),
    ],
    outside: TRANSFORMERS_OUTSIDE,
    leftovers: TRANSFORMERS_LEFTOVERS,
    leftover_in_block: "attention.attention.key.bias",
};

const TRANSFORMERS_OUTSIDE: &[Row] = &[
    ("cls_token", &["beit.embeddings.cls_token"]),
    ("pos_embed", &["beit.embeddings.position_embeddings"]),
    ("patch_embed.proj.weight", &["beit.embeddings.patch_embeddings.projection.weight"]),
    ("patch_embed.proj.bias", &["beit.embeddings.patch_embeddings.projection.bias"]),
    ("fc_norm.weight", &["beit.pooler.layernorm.weight"]),
    ("fc_norm.bias", &["beit.pooler.layernorm.bias"]),
    ("head.weight", &["classifier.weight"]),
    ("head.bias", &["classifier.bias"]),
];

const TRANSFORMERS5: Table = Table {
    dialect: Dialect::Transformers5,
    block_prefix: "beit.layers.",
    block: &[
        ("norm1.weight", &["layernorm_before.weight"]),
        ("norm1.bias", &["layernorm_before.bias"]),
        (
            "attn.qkv.weight",
            &["attention.q_proj.weight", "attention.k_proj.weight", "attention.v_proj.weight"],
        ),
        ("attn.q_bias", &["attention.q_proj.bias"]),
        ("attn.v_bias", &["attention.v_proj.bias"]),
        ("attn.relative_position_bias_table", &["relative_position_bias.relative_position_bias_table"]),
        ("attn.proj.weight", &["attention.o_proj.weight"]),
        ("attn.proj.bias", &["attention.o_proj.bias"]),
        ("gamma_1", &["lambda_1"]),
        ("norm2.weight", &["layernorm_after.weight"]),
        ("norm2.bias", &["layernorm_after.bias"]),
        ("mlp.fc1.weight", &["mlp.fc1.weight"]),
        ("mlp.fc1.bias", &["mlp.fc1.bias"]),
        ("mlp.fc2.weight", &["mlp.fc2.weight"]),
        ("mlp.fc2.bias", &["mlp.fc2.bias"]),
        ("gamma_2", &["lambda_2"]),
    ],
    outside: TRANSFORMERS_OUTSIDE,
    leftovers: TRANSFORMERS_LEFTOVERS,
    leftover_in_block: "attention.k_proj.bias",
};

const TRANSFORMERS_LEFTOVERS: &[&str] = &[
    "beit.embeddings.mask_token",
    "beit.layernorm.weight",
    "beit.layernorm.bias",
    "layernorm.weight",
    "layernorm.bias",
    "lm_head.weight",
    "lm_head.bias",
];

/// A buffer that checkpoints may carry though it follows from the image size.
const INDEX_BUFFER: &str = "relative_position_index";

/// Where a checkpoint's tensor belongs among ours.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum NameKind {
    /// Part number `part` of our tensor `name`.
    Tensor { name: String, part: usize },
    /// An index buffer: regenerated, so ignored.
    Ignored,
    /// Only pre-training uses it, or nothing does.
    Pretraining,
    /// Not part of a BEiT classifier.
    Surplus,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] =
        [Self::Timm, Self::ModelScope, Self::Mmpretrain, Self::Transformers4, Self::Transformers5];

    /// The dialects that know `name`, whatever stands before it, as a tensor of a block, each with the number of
    /// bytes before.
    pub(crate) fn in_blocks(name: &str) -> impl Iterator<Item = (Self, usize)> {
        TABLES.iter().flat_map(move |table| {
            let starts = name.match_indices(table.block_prefix).map(|(at, _)| at);
            let whole = starts.filter(|&at| at == 0 || name.as_bytes()[at - 1] == b'.');
            whole
                .filter(|&at| matches!(table.dialect.classify(&name[at..]), NameKind::Tensor { .. }))
                .map(|at| (table.dialect, at))
        })
    }

    /// What stands before a block's number.
    pub(crate) fn block_prefix(self) -> &'static str {
        self.table().block_prefix
    }

    /// Where the checkpoint's tensor `theirs` belongs.
    pub fn classify(self, theirs: &str) -> NameKind {
        if theirs == INDEX_BUFFER || theirs.ends_with(&format!(".{INDEX_BUFFER}")) {
            return NameKind::Ignored;
        }
        let table = self.table();
        let find = |rows: &[Row], name: &str| {
            rows.iter().find_map(|(ours, parts)| Some((*ours, parts.iter().position(|&part| part == name)?)))
        };
        let in_block = theirs.strip_prefix(table.block_prefix).and_then(|rest| {
            let (number, name) = rest.split_once('.')?;
            // Only the canonical spelling, so that no two names share a place.
            let block: usize = number.parse().ok().filter(|n: &usize| n.to_string() == number)?;
            let (ours, part) = find(table.block, name)?;
            Some((format!("blocks.{block}.{ours}"), part))
        });
        let found =
            in_block.or_else(|| find(table.outside, theirs).map(|(ours, part)| (ours.to_owned(), part)));
        match found {
            Some((name, part)) => NameKind::Tensor { name, part },
            None if table.is_leftover(theirs) => NameKind::Pretraining,
            None => NameKind::Surplus,
        }
    }

    /// What the checkpoint calls our tensor `ours`: one name, or its parts in order.
    pub fn theirs(self, ours: &str) -> Vec<String> {
        let table = self.table();
        let find = |rows: &'static [Row], name: &str| {
            rows.iter().find(|row| row.0 == name).map_or(&[][..], |row| row.1)
        };
        match ours.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) {
            Some((block, name)) => {
                let parts = find(table.block, name).iter();
                parts.map(|part| format!("{}{block}.{part}", table.block_prefix)).collect()
            }
            None => find(table.outside, ours).iter().map(|&part| part.to_owned()).collect(),
        }
    }

    fn table(self) -> &'static Table {
        match self {
            Self::Timm => &TIMM,
            Self::ModelScope => &MODELSCOPE,
            Self::Mmpretrain => &MMPRETRAIN,
            Self::Transformers4 => &TRANSFORMERS4,
            Self::Transformers5 => &TRANSFORMERS5,
        }
    }
}

impl Table {
    fn is_leftover(&self, theirs: &str) -> bool {
        let in_block = theirs.strip_prefix(self.block_prefix).and_then(|rest| rest.split_once('.'));
        self.leftovers.contains(&theirs)
            || in_block.is_some_and(|(block, name)| {
                name == self.leftover_in_block && block.bytes().all(|b| b.is_ascii_digit())
            })
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Timm => "timm or unilm",
            Self::ModelScope => "ModelScope",
            Self::Mmpretrain => "mmpretrain",
            Self::Transformers4 => "transformers 4",
            Self::Transformers5 => "transformers 5",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_names_every_tensor_and_finds_it_again() {
        for dialect in Dialect::ALL {
            let inside = TIMM_BLOCK.iter().map(|row| format!("blocks.11.{}", row.0));
            let ours = inside.chain(TIMM.outside.iter().map(|row| row.0.to_owned()));
            for ours in ours {
                let theirs = dialect.theirs(&ours);
                assert!(!theirs.is_empty(), "{dialect}: {ours}");
                for (part, theirs) in theirs.iter().enumerate() {
                    let place = NameKind::Tensor { name: ours.clone(), part };
                    assert_eq!(dialect.classify(theirs), place, "{dialect}: {theirs}");
                }
            }
        }
    }

    #[test]
    fn blocks_are_found_behind_any_prefix() {
        let examples = [
            ("blocks.0.norm1.weight", &[(Dialect::Timm, 0)][..]),
            ("net.blocks.0.norm1.weight", &[(Dialect::Timm, 4)]),
            ("backbone.blocks.0.norm1.weight", &[(Dialect::Timm, 9), (Dialect::ModelScope, 0)]),
            ("backbone.layers.0.ln1.weight", &[(Dialect::Mmpretrain, 0)]),
            ("beit.encoder.layer.0.layernorm_before.weight", &[(Dialect::Transformers4, 0)]),
            ("beit.layers.0.layernorm_before.weight", &[(Dialect::Transformers5, 0)]),
            ("vit.encoder.layer.0.layernorm_before.weight", &[]),
            ("myblocks.0.norm1.weight", &[]),
            ("blocks.0.conv.weight", &[]),
        ];
        for (name, found) in examples {
            assert_eq!(Dialect::in_blocks(name).collect::<Vec<_>>(), found, "{name}");
        }
    }

    #[test]
    fn names_as_published_find_their_place() {
        // reference: the names of timm 1.0.31, modelscope 1.40.2, mmpretrain 1.2.0, transformers 4.46.3 and 5.24.0
        let examples = [
            (Dialect::Timm, "blocks.23.attn.qkv.weight", "blocks.23.attn.qkv.weight", 0),
            (Dialect::ModelScope, "head.fc.bias", "head.bias", 0),
            (Dialect::Mmpretrain, "backbone.layers.3.ffn.layers.0.0.weight", "blocks.3.mlp.fc1.weight", 0),
            (
                Dialect::Transformers4,
                "beit.encoder.layer.7.attention.attention.key.weight",
                "blocks.7.attn.qkv.weight",
                1,
            ),
            (Dialect::Transformers5, "beit.layers.7.attention.v_proj.bias", "blocks.7.attn.v_bias", 0),
        ];
        for (dialect, theirs, ours, part) in examples {
            assert_eq!(dialect.classify(theirs), NameKind::Tensor { name: ours.into(), part }, "{theirs}");
        }
        assert_eq!(Dialect::Timm.classify("blocks.0.attn.relative_position_index"), NameKind::Ignored);
        for surplus in ["tokenizer.weight", "blocks.01.norm1.weight", "blocks.x.norm1.weight", "norm.scale"] {
            assert_eq!(Dialect::Timm.classify(surplus), NameKind::Surplus, "{surplus}");
        }
        for (dialect, leftover) in [
            (Dialect::Timm, "mask_token"),
            (Dialect::Timm, "norm.weight"),
            (Dialect::Timm, "blocks.0.attn.k_bias"),
            (Dialect::ModelScope, "backbone.blocks.3.attn.k_bias"),
            (Dialect::Transformers4, "beit.layernorm.bias"),
            (Dialect::Transformers5, "beit.layers.2.attention.k_proj.bias"),
        ] {
            assert_eq!(dialect.classify(leftover), NameKind::Pretraining, "{leftover}");
        }
    }
}
