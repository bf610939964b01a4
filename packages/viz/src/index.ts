// Pictures of weights

export { type AlignmentOptions, alignment } from './alignment.ts'
export {
  type ContextArrowsOptions,
  type ContextArrowsTextOptions,
  contextArrows,
  contextArrowsText,
} from './arrows.ts'
export { type FocusTextOptions, focusText } from './focus.ts'
export {
  type HeatmapOptions,
  type HeatmapTextOptions,
  heatmap,
  heatmapText,
  type MatrixWords,
  weightsCsv,
} from './heatmap.ts'
export { type HeatStripOptions, type HeatStripTextOptions, heatStrip, heatStripText } from './strip.ts'
export { attentionTableHtml, attentionTableMarkdown, weightsTable } from './table.ts'

// Searches

export { type BeamNode, type BeamSteps, type BeamTreeOptions, beamTree, beamTreeText } from './beamTree.ts'

// Curves

export { type CurveOptions, type CurvePoint, type CurveSeries, curve } from './curve.ts'

// Evidence

export {
  type EvidenceCard,
  type EvidenceCardFields,
  evidenceCard,
  type SourceTarget,
} from './evidenceCard.ts'
export { type ReportOptions, report } from './report.ts'
export type { ReportCurve, ReportExample, ReportFact, ReportTable } from './reportParts.ts'

// For the browser

export {
  type AlignmentExample,
  type MountAlignmentOptions,
  type MountedAlignment,
  mountAlignment,
} from './interactive/alignmentViewer.ts'

// Colours

export type { ColorDepth } from './ansi.ts'
export { contrast, type Mode, textColor, weightColor } from './color.ts'
export { darkTheme, lightTheme, type Theme, type ThemeColor, themeProperties } from './theme.ts'

// What they share

export { VizError } from './errors.ts'
export type { WeightRow, Weights } from './weights.ts'
