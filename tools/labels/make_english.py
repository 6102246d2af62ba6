#!/usr/bin/env python3
"""Prints the English column of the label table, one name a line, in the order of the wnids.

    make_english.py DATA_NOUN WNIDS > english.txt

DATA_NOUN is WordNet 3.0's `data.noun`; WNIDS is a text file that holds one wnid a line, alone
or as a column of a tab-separated table, so the label table itself will do.

A name is the synset's first lemma, except where that alone would mislead someone looking at a
photo; those few are in OVERRIDES.
"""

import re
import sys

from wordnet import Synset, read_nouns

# Each override is another lemma of the same synset, or the first lemma with the sense that the
# gloss gives it. The comment says what the first lemma would be taken for.
OVERRIDES = {
    # Two classes under one word.
    "n02012849": "crane (bird)",
    "n03126707": "crane (machine)",
    "n03710721": "tank suit",  # "maillot", as is n03710637
    "n02113186": "Cardigan Welsh corgi",  # "Cardigan"; n02963159 is "cardigan"
    "n02113023": "Pembroke Welsh corgi",  # "Pembroke": a town; named as its sister breed is
    # Animals whose word is better known for something else.
    "n01514668": "rooster",  # "cock": vulgar
    "n01558993": "American robin",  # "robin": in Europe, another species
    "n01608432": "kite (bird)",  # the toy
    "n01664065": "loggerhead turtle",  # "loggerhead": a shrike
    "n01685808": "whiptail lizard",  # "whiptail": a wallaby
    "n01755581": "diamondback rattlesnake",  # "diamondback": a moth, a terrapin
    "n02096177": "cairn terrier",  # "cairn": a heap of stones
    "n02098413": "Lhasa apso",  # "Lhasa": the city
    "n02108000": "Entlebucher",  # spelt "EntleBucher"
    "n02108089": "boxer (dog)",  # the athlete
    "n02111129": "Leonberger",  # "Leonberg": the town
    "n02111277": "Newfoundland dog",  # "Newfoundland": the island
    "n02112137": "chow chow",  # "chow": food
    "n02134084": "polar bear",  # "ice bear": rare
    "n02229544": "cricket (insect)",  # the game
    "n02276258": "admiral (butterfly)",  # the officer
    "n02277742": "ringlet butterfly",  # "ringlet": a lock of hair
    "n02279972": "monarch butterfly",  # "monarch": a ruler
    "n02328150": "Angora rabbit",  # "Angora": also a goat and a cat
    "n02389026": "sorrel (horse)",  # the herb
    "n02493509": "titi monkey",  # "titi": a tree
    "n02497673": "ring-tailed lemur",  # "Madagascar cat": no cat
    "n02606052": "rock beauty (fish)",
    # Things whose word is better known for something else.
    "n02704792": "amphibious vehicle",  # "amphibian": the animal
    "n02747177": "trash can",  # "ashcan": rare
    "n02797295": "wheelbarrow",  # "barrow": a burial mound
    "n02814533": "station wagon",  # "beach wagon": rare
    "n02814860": "lighthouse",  # "beacon": any signal fire
    "n02817516": "bearskin (hat)",  # the pelt
    "n02879718": "bow (weapon)",  # the knot
    "n02892201": "memorial tablet",  # "brass": the metal
    "n03014705": "chest (box)",  # part of the body
    "n03110669": "trumpet",  # "cornet": a smaller instrument, an ice-cream cone
    "n03250847": "drumstick (percussion)",  # the chicken leg
    "n03337140": "filing cabinet",  # "file": the tool, the document
    "n03483316": "hair dryer",  # "hand blower": rare
    "n03594734": "jeans",  # "jean": the gloss says "usually plural"
    "n03599486": "rickshaw",  # "jinrikisha": rare
    "n03673027": "ocean liner",  # "liner": a lining
    "n03680355": "loafer (shoe)",  # spelt "Loafer"; an idler
    "n03786901": "mortar (bowl)",  # the gun, the paste
    "n03793489": "computer mouse",  # "mouse": the animal
    "n03804744": "nail (fastener)",  # of a finger
    "n03825788": "nipple (baby bottle)",  # part of the body
    "n03832673": "notebook computer",  # "notebook": of paper
    "n03854065": "pipe organ",  # "organ": part of the body
    "n03895866": "passenger car (railway)",  # the automobile
    "n03929660": "plectrum",  # "pick": the axe
    "n03930630": "pickup truck",  # "pickup": of a guitar
    "n03947888": "pirate ship",  # "pirate": the person
    "n03950228": "pitcher (jug)",  # the baseball player
    "n03954731": "carpenter's plane",  # "plane": the aircraft
    "n03991062": "flowerpot",  # "pot": for cooking
    "n04037443": "race car",  # "racer": the person
    "n04118776": "ruler",  # "rule": a law
    "n04243546": "slot machine",  # "slot": an opening; the gloss's own word
    "n04325704": "stole (scarf)",  # the verb
    "n04367480": "mop",  # "swab": of cotton
    "n04399382": "teddy bear",  # "teddy": the garment
    "n04515003": "upright piano",  # "upright": a post
    "n04517823": "vacuum cleaner",  # "vacuum": empty space
    "n04523525": "vault (ceiling)",  # of a bank
    "n04554684": "washing machine",  # "washer": the ring
    "n04592741": "wing (aircraft)",  # of a bird
    "n04606251": "wreck (ship)",  # of a car
    "n10148035": "bridegroom",  # "groom": who tends horses
    # Food and plants.
    "n07579787": "plate (food)",  # the crockery
    "n07613480": "trifle (dessert)",  # a small thing
    "n12620546": "rose hip",  # "hip": part of the body
    "n12768682": "horse chestnut",  # "buckeye": a butterfly, a nickname
    "n13133613": "ear (of a cereal)",  # part of the body
}


def english_name(wnid: str, synset: Synset) -> str:
    return OVERRIDES.get(wnid, synset.lemmas[0])


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    nouns = read_nouns(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as text:
        wnids = re.findall(r"\bn\d{8}\b", text.read())
    for wnid in wnids:
        if wnid not in nouns:
            sys.exit(f"{wnid} is no noun synset of {sys.argv[1]}")
        print(english_name(wnid, nouns[wnid]))


if __name__ == "__main__":
    main()
