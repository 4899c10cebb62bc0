// Text that others wrote, shown so that it hides nothing.
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { count } from '../text/format';
import { cut, partsOf } from '../text/visible';

interface Props {
  text: string;
  limit?: number; // characters shown at first
  lines?: boolean; // line ends are line ends; otherwise they are shown by name, as other controls are
  whole?: boolean; // whether there is a button that shows all of it
}

// A text that the page did not write: parameters, help, errors, what a job says of its progress. It stays text, what would
// hide or reorder it is shown by name, and it is cut where it is longer than anybody reads.
export function Shown({ text, limit = 300, lines = false, whole = false }: Props) {
  const [all, setAll] = useState(false);
  const shown = all ? text : cut(text, limit);
  const left = text.length - shown.length;
  return (
    <span class="shown">
      {(lines ? shown.split('\n') : [shown]).map((line, i) => <Fragment key={i}>{i > 0 && '\n'}<Visible text={line} /></Fragment>)}
      {left > 0 && '…'}
      {left > 0 && whole && <> <button type="button" class="link" onClick={() => setAll(true)}>{count(left)} more</button></>}
    </span>
  );
}

function Visible({ text }: { text: string }) {
  return (
    <>
      {partsOf(text).map((part, i) => (part.kind === 'control'
        ? <span key={i} class="unseen" title="A character that cannot be seen">{part.text}</span>
        : <Fragment key={i}>{part.text}</Fragment>))}
    </>
  );
}
