/** A word of a sentence, and what it stands for: words of two languages with a tag in common are translations. */
export interface TaggedWord {
  readonly word: string
  readonly tags: readonly string[]
}

/** A noun in three languages. German has its article in the nominative and accusative. */
export interface Noun {
  readonly en: string
  readonly de: readonly [nominative: string, accusative: string, noun: string, accusativeNoun?: string]
  readonly fr: readonly [article: string, noun: string]
}

/** Who does it. */
export const PERSONS: readonly Noun[] = [
  { en: 'boy', de: ['der', 'den', 'Junge', 'Jungen'], fr: ['le', 'garçon'] },
  { en: 'girl', de: ['das', 'das', 'Mädchen'], fr: ['la', 'fille'] },
  { en: 'woman', de: ['die', 'die', 'Frau'], fr: ['la', 'femme'] },
  { en: 'teacher', de: ['der', 'den', 'Lehrer'], fr: ['le', 'professeur'] },
  { en: 'doctor', de: ['der', 'den', 'Arzt'], fr: ['le', 'médecin'] },
  { en: 'queen', de: ['die', 'die', 'Königin'], fr: ['la', 'reine'] },
  { en: 'neighbour', de: ['der', 'den', 'Nachbar', 'Nachbarn'], fr: ['le', 'voisin'] },
  { en: 'painter', de: ['die', 'die', 'Malerin'], fr: ['la', 'peintre'] },
]

/** Who does it, in one word. */
export const PRONOUNS: readonly { readonly en: string; readonly de: string; readonly fr: string }[] = [
  { en: 'he', de: 'er', fr: 'il' },
  { en: 'she', de: 'sie', fr: 'elle' },
]

/** What it is done to. */
export const OBJECTS: readonly Noun[] = [
  { en: 'ball', de: ['der', 'den', 'Ball'], fr: ['le', 'ballon'] },
  { en: 'book', de: ['das', 'das', 'Buch'], fr: ['le', 'livre'] },
  { en: 'letter', de: ['der', 'den', 'Brief'], fr: ['la', 'lettre'] },
  { en: 'house', de: ['das', 'das', 'Haus'], fr: ['la', 'maison'] },
  { en: 'picture', de: ['das', 'das', 'Bild'], fr: ['la', 'photo'] },
  { en: 'car', de: ['das', 'das', 'Auto'], fr: ['la', 'voiture'] },
  { en: 'flower', de: ['die', 'die', 'Blume'], fr: ['la', 'fleur'] },
  { en: 'table', de: ['der', 'den', 'Tisch'], fr: ['la', 'table'] },
  { en: 'coat', de: ['der', 'den', 'Mantel'], fr: ['le', 'manteau'] },
  { en: 'bag', de: ['die', 'die', 'Tasche'], fr: ['le', 'sac'] },
  { en: 'key', de: ['der', 'den', 'Schlüssel'], fr: ['la', 'clé'] },
  { en: 'glass', de: ['das', 'das', 'Glas'], fr: ['le', 'verre'] },
]

/** Which one. French adjectives of colour stand behind their noun. */
export const ADJECTIVES: readonly {
  readonly en: string
  /** Without its ending. */
  readonly de: string
  readonly fr: readonly [masculine: string, feminine: string]
  readonly behind: boolean
}[] = [
  { en: 'red', de: 'rot', fr: ['rouge', 'rouge'], behind: true },
  { en: 'green', de: 'grün', fr: ['vert', 'verte'], behind: true },
  { en: 'black', de: 'schwarz', fr: ['noir', 'noire'], behind: true },
  { en: 'heavy', de: 'schwer', fr: ['lourd', 'lourde'], behind: true },
  { en: 'small', de: 'klein', fr: ['petit', 'petite'], behind: false },
  { en: 'old', de: 'alt', fr: ['vieux', 'vieille'], behind: false },
  { en: 'new', de: 'neu', fr: ['nouveau', 'nouvelle'], behind: false },
]

/** What is done. `particle` stands apart in German main clauses: `hebt … auf`, but `aufhebt`. */
export const VERBS: readonly {
  readonly en: readonly [participle: string, particle?: string]
  readonly de: readonly [verb: string, particle?: string]
  readonly fr: string
}[] = [
  { en: ['reading'], de: ['liest'], fr: 'lit' },
  { en: ['painting'], de: ['malt'], fr: 'peint' },
  { en: ['selling'], de: ['verkauft'], fr: 'vend' },
  { en: ['taking'], de: ['nimmt'], fr: 'prend' },
  { en: ['showing'], de: ['zeigt'], fr: 'montre' },
  { en: ['carrying'], de: ['trägt'], fr: 'porte' },
  { en: ['washing'], de: ['wäscht'], fr: 'lave' },
  { en: ['looking', 'for'], de: ['sucht'], fr: 'cherche' },
  { en: ['picking', 'up'], de: ['hebt', 'auf'], fr: 'ramasse' },
  { en: ['bringing', 'along'], de: ['bringt', 'mit'], fr: 'rapporte' },
]

/** What is played. */
export const GAMES: readonly { readonly en: string; readonly de: string; readonly fr: string }[] = [
  { en: 'football', de: 'Fußball', fr: 'au football' },
  { en: 'tennis', de: 'Tennis', fr: 'au tennis' },
  { en: 'chess', de: 'Schach', fr: 'aux échecs' },
  { en: 'cards', de: 'Karten', fr: 'aux cartes' },
]

/** When. */
export const TIMES: readonly { readonly en: string; readonly de: string; readonly fr: string }[] = [
  { en: 'today', de: 'heute', fr: "aujourd'hui" },
  { en: 'now', de: 'jetzt', fr: 'maintenant' },
  { en: 'tomorrow', de: 'morgen', fr: 'demain' },
]

/** Where: `in/1 the/1 garden/2` is `im/1 Garten/2`. */
export const PLACES: readonly { readonly en: string; readonly de: string; readonly fr: string }[] = [
  { en: 'in/1 the/2 garden/3', de: 'im/1,2 Garten/3', fr: 'dans/1 le/2 jardin/3' },
  { en: 'in/1 the/2 kitchen/3', de: 'in/1 der/2 Küche/3', fr: 'dans/1 la/2 cuisine/3' },
  { en: 'in/1 the/2 city/3', de: 'in/1 der/2 Stadt/3', fr: 'dans/1 la/2 ville/3' },
  { en: 'at/1 the/2 market/3', de: 'auf/1 dem/2 Markt/3', fr: 'au/1,2 marché/3' },
]

/** How clauses are joined. German puts the verb last after `weil`. */
export const JOINTS: readonly {
  readonly en: string
  readonly de: string
  readonly fr: string
  readonly subordinate: boolean
}[] = [
  { en: 'and', de: 'und', fr: 'et', subordinate: false },
  { en: 'but', de: 'aber', fr: 'mais', subordinate: false },
  { en: 'because', de: 'weil', fr: 'parce que', subordinate: true },
]
