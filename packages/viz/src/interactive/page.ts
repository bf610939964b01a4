// What a report's page runs: the viewer, on the examples the page carries. Bundled into viewerScript.ts.
import { type AlignmentExample, mountAlignment } from './alignmentViewer.ts'

const place = document.querySelector('#heed-alignment')
const data = document.querySelector('#heed-examples')?.textContent
// The page was written by report(), which checked the examples.
if (place && data) mountAlignment(place, { examples: JSON.parse(data) as AlignmentExample[] })
