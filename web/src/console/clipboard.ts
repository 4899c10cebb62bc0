// Copying to the clipboard, also where the browser has only the old way.

// Puts a text on the clipboard. Browsers offer their clipboard to secure pages only: on others the old way is taken.
// The text may still be loading: a browser wants to be asked while the click is fresh.
export async function copyText(text: Promise<string>): Promise<void> {
  if (navigator.clipboard && typeof ClipboardItem !== 'undefined') {
    const blob = text.then((loaded) => new Blob([loaded], { type: 'text/plain' }));
    return navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
  }
  oldWay(await text);
}

function oldWay(text: string): void {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'for-readers';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) throw new Error('the browser does not allow it');
}
