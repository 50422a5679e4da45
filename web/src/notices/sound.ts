// Two short tones, made by the browser itself: no file has to be loaded. A browser lets a page make sounds after the reader has touched it.
let audio: AudioContext | null = null;

const TONES: readonly (readonly [hertz: number, startS: number])[] = [
  [660, 0],
  [880, 0.16],
];
const LENGTH_S = 0.14;
const LOUDNESS = 0.12;

/** To be called when the reader touches the page, so that sounds may follow. */
export function wakeSound(): void {
  audio ??= typeof AudioContext === 'undefined' ? null : new AudioContext();
  void audio?.resume().catch(() => undefined);
}

/** False where the browser does not let the page sound yet. */
export function playSound(): boolean {
  if (audio === null || audio.state !== 'running') return false;
  for (const [hertz, start] of TONES) {
    const at = audio.currentTime + start;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
    volume.gain.linearRampToValueAtTime(0, at + LENGTH_S);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + LENGTH_S);
  }
  return true;
}
