/** A question with some answers, each explained. */
export interface QuizItem {
  readonly question: string
  readonly answers: readonly { readonly text: string; readonly right?: boolean; readonly why: string }[]
}

/** The quizzes of the lessons, by name. */
export const QUIZZES: Readonly<Record<string, QuizItem>> = {
  bottleneck: {
    question:
      'A plain encoder-decoder translates short sentences well and long ones badly. What is the main reason?',
    answers: [
      {
        text: 'Its vocabulary is too small for long sentences.',
        why: 'Long sentences use the same words. Missing words hurt short ones just as much.',
      },
      {
        text: 'One vector of fixed size must hold the whole sentence, however long it is.',
        right: true,
        why: 'The door stays as wide as it was while more has to pass through. You saw the curve fall with length.',
      },
      {
        text: 'The decoder cannot write that many words.',
        why: 'It can write as many as it likes; what it lacks is knowledge of what to write.',
      },
      {
        text: 'Softmax becomes unstable over long outputs.',
        why: 'Its softmax runs over the vocabulary, which has the same size for every sentence.',
      },
    ],
  },
  context: {
    question:
      'How does the context vector of attention differ from the fixed vector of a plain encoder-decoder?',
    answers: [
      {
        text: 'It is made anew for every output word, as a weighted sum of all encoder states.',
        right: true,
        why: 'Other weights, other sum: each word gets a summary that is made for it. In the plain model all steps get the same one.',
      },
      {
        text: 'It is longer, so more fits in.',
        why: 'It has exactly the size of an encoder state. What changes is that there is a new one at every step.',
      },
      {
        text: 'It is the encoder’s last state, passed through one more layer.',
        why: 'That would still be one vector for the whole sentence.',
      },
      {
        text: 'It is computed before decoding begins, to save time.',
        why: 'It cannot be: its weights depend on the state of the decoder at that step.',
      },
    ],
  },
  recurrence: {
    question: 'Does the attention of 2014 replace the recurrent network?',
    answers: [
      {
        text: 'Yes, encoder and decoder become feed-forward.',
        why: 'That came three years later. In the model that you trained, both sides are GRUs.',
      },
      {
        text: 'No. Encoder and decoder stay recurrent; attention is a third part that connects them.',
        right: true,
        why: 'The states that are looked at are made by a recurrence, and so is the state that asks. Dropping recurrence altogether is the step of 2017.',
      },
      { text: 'Only the encoder stays recurrent.', why: 'The decoder needs its state too: it is the query.' },
    ],
  },
  interpret: {
    question:
      'You look at the matrix of weights of a translator. What may you safely say about a row with 0.84 on “football”?',
    answers: [
      {
        text: 'The model chose this word because of “football”, and would have chosen another one without it.',
        why: 'That is a claim about causes. To test it, remove the word and look again; weights alone do not prove it.',
      },
      {
        text: 'At this step, 84 % of the weight of the sum lay on the state of “football”. It is a good hint where the model looked.',
        right: true,
        why: 'This is what the number is. The state of “football” also knows its neighbours, so it is a hint and no proof. Papers argue about it; a later lesson will measure it.',
      },
      {
        text: 'Nothing at all: weights are random.',
        why: 'They are learned, and here they agree with the alignment that the toy grammar knows.',
      },
    ],
  },
  scores: {
    question:
      'Queries have 64 numbers and keys 128. Which score works as it is, with the fewest multiplications?',
    answers: [
      {
        text: 'dot',
        why: 'A dot product needs equal sizes. Heed says so: “dot needs equal sizes, query 64 and key 128; use new General(64, 128)”.',
      },
      {
        text: 'general, qᵀ W k',
        right: true,
        why: 'W is 64 × 128 and brings both sides together. It is a matrix product, and those are fast.',
      },
      { text: 'scaled dot', why: 'It is a dot product too, divided by a root. Sizes must be equal.' },
      {
        text: 'additive, because it is a network',
        why: 'It works for any sizes, but takes a tanh for every number of every pair: slower, as you can time above.',
      },
    ],
  },
  who: {
    question: 'Which state of the decoder asks, for Bahdanau and for Luong?',
    answers: [
      {
        text: 'Both use the state after the step.',
        why: 'Bahdanau’s context enters the step, so the state after it does not exist yet.',
      },
      {
        text: 'Bahdanau: the state before the step. Luong: the state after it.',
        right: true,
        why: "So Bahdanau looks, then moves; Luong moves, then looks. In Heed it is one word, queryState: 'previous' or 'current'.",
      },
      {
        text: 'Bahdanau: the state after the step. Luong: the state before it.',
        why: 'It is the other way round.',
      },
    ],
  },
  heads: {
    question:
      'One head learned the right neighbour perfectly and the left one hardly at all. Why did two heads of half the size do better?',
    answers: [
      {
        text: 'Two heads have twice the parameters.',
        why: 'They have exactly as many: the page prints the number.',
      },
      {
        text: 'A head yields one weighted sum for each place. Two places that must be told apart need two sums.',
        right: true,
        why: 'One sum over both neighbours would blend them. Two heads give two sums side by side, and the output can tell them apart.',
      },
      { text: 'Two heads take twice as many steps.', why: 'Both were trained for the same number of steps.' },
    ],
  },
}
