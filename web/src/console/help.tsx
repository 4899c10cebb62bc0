// The dialog that lists the keys.
import { useEffect, useRef } from 'preact/hooks';
import { kKeys } from './keys';

export function Help({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog help" aria-labelledby="help-title" onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <div class="dialog-body">
        <h2 id="help-title">Keys</h2>
        <table>
          <tbody>{kKeys.map(([keys, what]) => <tr key={keys}><th scope="row"><kbd>{keys}</kbd></th><td>{what}</td></tr>)}</tbody>
        </table>
        <p class="hint">A click on a line’s number selects it; with Shift, all lines up to it. The address of the page then leads there.</p>
        <div class="buttons"><button type="button" class="button" onClick={() => dialog.current?.close()}>Close</button></div>
      </div>
    </dialog>
  );
}
