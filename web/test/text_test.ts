// Tests of a line's text: escape sequences, deceptive characters, links, bytes that are not UTF-8.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { recordOf, tailAfter, textOfBytes } from '../src/log/record';
import { runsOf } from '../src/text/cells';
import { TerminalRow } from '../src/text/terminal_row';
import { leftBy, safeLink, split } from '../src/text/escapes';
import { kPlain } from '../src/text/pen';
import { misleading, wordsAround } from '../src/text/targets';
import { cut, partsOf, visible } from '../src/text/visible';

function segments(text: string) {
  const row = new TerminalRow();
  row.write(text);
  return row.segments();
}
const plain = (text: string): string => segments(text).map((segment) => segment.text).join('');

test('colours and styles', () => {
  const [red, rest] = segments('\x1b[1;31mfailed\x1b[0m here');
  assert.equal(red?.text, 'failed');
  assert.deepEqual(red?.style.foreground, { type: 'named', name: 'red' });
  assert.deepEqual(red?.style.decorations, ['bold']);
  assert.equal(rest?.text, ' here');
  assert.equal(rest?.style.foreground, null);
});

test('256 colours and all of them, in both notations', () => {
  assert.deepEqual(segments('\x1b[38;5;208mx')[0]?.style.foreground, { type: 'table', index: 208 });
  assert.deepEqual(segments('\x1b[38:5:208mx')[0]?.style.foreground, { type: 'table', index: 208 });
  assert.deepEqual(segments('\x1b[48;2;1;2;3mx')[0]?.style.background, { type: 'rgb', rgb: [1, 2, 3] });
  assert.deepEqual(segments('\x1b[38:2::9:8:7mx')[0]?.style.foreground, { type: 'rgb', rgb: [9, 8, 7] });
});

test('what moves the cursor elsewhere, names the window or asks the terminal does nothing', () => {
  assert.equal(plain('a\x1b[2Jb\x1b[10;10Hc\x1b]0;title\x07d\x1b[6ne\x1bPq#0\x1b\\f\x1b(Bg\x1b=h'), 'abcdefgh');
});

test('an escape sequence that is cut off hides no text but itself', () => {
  for (const cut of ['\x1b', '\x1b(', '\x1b[', '\x1b[1;3', '\x9b3', '\x1b]0;never ended', '\x1bPq#0', '\x1b]8;;https://example.org\x1b']) {
    assert.equal(plain(`before${cut}`), 'before', JSON.stringify(cut));
    assert.equal(plain(`before${cut}\rB`), 'Before', JSON.stringify(cut));
    assert.equal(plain(`before${cut}\x1b[31m after`), 'before after', JSON.stringify(cut));
  }
  assert.equal(plain('a\x1b[3\u00e9b\x1b[3\x18c\x1b]0;title\x1ad\x1bPq\x07e'), 'a\u00e9bcde');
});

const kSequences = 'a\x1b[1;31mred\x1b[0m \x9b32mgreen\x1b[m \x1b]0;title\x07t\x1b]8;;https://example.org/?a;b\x1b\\link\x1b]8;;\x1b\\' +
  ' \x1bPq#0\x1b\\d\x9d0;title\x9ct\x1b^pm\x1b\\\x1b_apc\x1b\\\x1bXsos\x1b\\ \x1b(0lqk\x1b(B\x1b[>4;2mm \x1b[38;2;1;2;3mrgb\x1b[2Dx';

test('a text that comes in pieces is the same wherever they end', () => {
  const whole = segments(kSequences);
  assert.equal(whole.map(({ text }) => text).join(''), 'ared green tlink dt \u250c\u2500\u2510m rxb');
  for (let at = 1; at < kSequences.length; at += 1) {
    const row = new TerminalRow();
    row.write(kSequences.slice(0, at));
    row.write(kSequences.slice(at));
    assert.deepEqual(row.segments(), whole, JSON.stringify(kSequences.slice(0, at)));
  }
  const row = new TerminalRow();
  for (const character of kSequences) row.write(character);
  assert.deepEqual(row.segments(), whole);
});

test('a sequence that begins in one piece is over where the line is drawn over', () => {
  const row = new TerminalRow();
  row.write('abc\x1b[3');
  row.carriageReturn();
  row.write('1m');
  assert.deepEqual(row.segments().map(({ text }) => text), ['1mc']);
});

test('of a sequence in many pieces little is kept, and its text is seen nowhere', () => {
  for (const [begin, end] of [['\x1b]0;', '\x07'], ['\x1b]8;;https://example.org/', '\x1b\\'], ['\x1bP', '\x1b\\'], ['\x9d8;;https://example.org/', '\x9c'], ['\x1b[', 'm']] as const) {
    const row = new TerminalRow();
    row.write(`a${begin}`);
    for (let i = 0; i < 40; i += 1) row.write('1;31'.repeat(64));
    for (const character of end) row.write(character);
    row.write('b');
    assert.deepEqual(row.segments(), [{ text: 'ab', style: kPlain }], JSON.stringify(begin));
  }
});

test('what a text leaves in force has what began before it', () => {
  assert.deepEqual(leftBy('1mred', '\x1b[3').styles, ['31']);
  assert.deepEqual(leftBy('mred', '\x1b[').reset, true);
  assert.deepEqual(leftBy('1mred').styles, []);
});

test('a text that is cut has the tail of the whole one', () => {
  const tail = (line: object) => recordOf({ sequence: '1', ...line })!.tail;
  const long = `${'x'.repeat(9000)}\x1b[3`;
  assert.equal(tail({ text: long, ending: 'ENDING_SPLIT' }), '\x1b[3');
  assert.equal(tail({ text: `${long}1m`, ending: 'ENDING_SPLIT' }), '');
  assert.equal(tail({ text: long, ending: 'ENDING_LF' }), '');
  assert.equal(tail({ text: 'short\x1b[3', ending: 'ENDING_NONE' }), undefined);
});

test('erasing to the right, and back to the beginning', () => {
  assert.equal(plain('progress 50 %\r\x1b[Kdone'), 'done');
  assert.equal(plain('abc\x1b[2Dx'), 'axc');
  assert.equal(plain('abc\x08\x08X'), 'aXc');
});

test('a column far to the right costs little', () => {
  assert.ok(plain('a\x1b[999999999Cb').length < 5000);
});

test('links lead to http and https alone', () => {
  const link = (href: string) => segments(`\x1b]8;;${href}\x1b\\text\x1b]8;;\x1b\\ after`);
  assert.equal(link('https://example.org/a?b=c;d')[0]?.style.href, 'https://example.org/a?b=c;d');
  assert.equal(link('https://example.org/')[1]?.style.href, undefined);
  for (const bad of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'file:///etc/passwd', '//example.org', 'https:evil', ' https://x', 'http://']) {
    assert.equal(link(bad)[0]?.style.href, undefined, bad);
    assert.equal(safeLink(bad), undefined, bad);
  }
});

test('no link of a line leads to a page whose button starts a run', () => {
  for (const acting of ['http://localhost:8080/stream/deploy?to=all', 'http://127.0.0.1:8080/stream/deploy',
    'http://me@localhost:8080/x/../stream/deploy#here', 'http://[::1]:8080/%73tream/deploy', 'http://localhost:8080/jobs/stream/deploy/']) {
    assert.equal(safeLink(acting, '8080'), undefined, acting);
  }
  for (const other of ['http://localhost:8080/runs/1', 'http://localhost:8080/jobs/deploy', 'http://localhost:9090/stream/x']) {
    assert.equal(safeLink(other, '8080'), other);
  }
});

test('a hostile number of sequences takes linear time', () => {
  const row = new TerminalRow();
  row.write('\x1b]8;;'.repeat(20_000));
  row.write('\x1b[31m'.repeat(20_000) + 'x');
  assert.equal(row.segments().at(-1)?.text, 'x');
});

test('what directs, hides or joins text is shown', () => {
  const shown = (text: string): string => partsOf(text).map((part) => (part.kind === 'control' ? `<${part.text}>` : part.text)).join('');
  assert.equal(shown('a\u202Egnp.exe'), 'a<U+202E>gnp.exe');
  assert.equal(shown('\u2066x\u2069'), '<U+2066>x<U+2069>');
  assert.equal(shown('no\u200Bthing'), 'no<U+200B>thing');
  assert.equal(shown('nul\0nul'), 'nul<NUL>nul');
  assert.equal(shown('\x7f\x85'), '<DEL><\\x85>');
  assert.equal(shown('\u{E0041}'), '<U+E0041>');
  assert.equal(shown('tab\tand caf\u00e9 \u2713 \u{1F600}'), 'tab\tand caf\u00e9 \u2713 \u{1F600}');
});

test('titles, which take no elements, show it too, and long ones are cut', () => {
  assert.equal(visible('a\u202Egnp.exe\n'), 'a⟨U+202E⟩gnp.exe⟨LF⟩');
  assert.equal(cut('abc', 3), 'abc');
  assert.equal(cut('ab\u{1F600}', 3), 'ab');
});

test('a link that calls itself another address than it leads to is found out', () => {
  const evil = 'https://evil.example/login?next=1';
  for (const text of ['https://bank.example/', 'bank.example', 'BANK.example', 'www.bank', 'see bank.example now', 'bank\u3002example',
    'bank\uff0eexample', 'bank\u2024example', '(https://bank.example)', 'https://evil.example/safe', 'evil.example.bank.example']) {
    assert.equal(misleading(text, evil), evil, text);
  }
  for (const text of ['here', '-Wall', 'evil.example', 'https://evil.example/', 'https://evil.example/login', '(evil.example/login?next=1).',
    'http://EVIL.example', 'evil.example/login…', '1.5', 'Done.']) {
    assert.equal(misleading(text, evil), undefined, text);
  }
  assert.equal(misleading('bank.example', 'https://bank.example@evil.example/'), 'https://evil.example/');
  assert.equal(misleading('bank.example', 'https://bank.example.evil.example/'), 'https://bank.example.evil.example/');
  const long = `https://bank.example.${'a.'.repeat(90)}evil.example`;
  assert.equal(misleading('bank.example', `${long}/${'x'.repeat(500)}`), `${long}…`);
});

test('what touches a link is read with it', () => {
  const text = 'see https://bank.example/x now';
  assert.equal(wordsAround(text, 12, 16), 'https://bank.example/x');
  assert.equal(wordsAround(text, 4, 22), 'https://bank.example/x');
  assert.equal(wordsAround(text, 0, 3), 'see');
});

test('addresses become links, without the point after them', () => {
  assert.deepEqual(partsOf('see https://example.org/x.').map((part) => [part.kind, part.text]),
    [['text', 'see '], ['url', 'https://example.org/x'], ['text', '.']]);
  assert.deepEqual(partsOf('javascript://x').map((part) => part.kind), ['text']);
});

test('bytes that are not UTF-8 are shown as what they are, beside text that is', () => {
  assert.equal(textOfBytes(btoa('caf\xE9 \xFF\xFE ok')), 'caf\\xE9 \\xFF\\xFE ok');
  assert.equal(textOfBytes(btoa('\xC3\xA9\xE9')), '\u00e9\\xE9');
});

test('markup is text', () => {
  assert.equal(plain('<script>alert(1)</script></pre>'), '<script>alert(1)</script></pre>');
});

test('what is cut in the middle of a long sequence goes on with it', () => {
  const middle = recordOf({ sequence: '2', text: 'A'.repeat(5000), ending: 'ENDING_SPLIT' })!;
  assert.notEqual(tailAfter(middle, '\x1b]1337;'), '');
  assert.equal(tailAfter(middle, ''), '');
  const last = recordOf({ sequence: '3', text: 'A'.repeat(5000) + '\x07', ending: 'ENDING_SPLIT' })!;
  assert.equal(tailAfter(last, '\x1b]1337;'), '');
});

test('a very long line is cut, not within a character', () => {
  const long = recordOf({ sequence: '1', text: 'a' + '\u{1F600}'.repeat(5000) })!;
  assert.equal(long.length, 10_001);
  assert.ok(long.text.length <= 4096);
  assert.ok(!/[\uD800-\uDBFF]$/.test(long.text));
});

test('messages about the present state are no records', () => {
  assert.equal(recordOf({ heartbeat: { lastSequence: '4' } }), undefined);
});

test('split keeps all text', () => {
  assert.deepEqual(split('a\x1b[1mb\rc').map((piece) => piece.kind), ['text', 'style', 'text', 'character', 'text']);
});

test('the page shows the same characters as what they are as the server and the command', () => {
  const source = readFileSync(process.env.JOBTAIL_DECEPTIVE!, 'utf8');
  const ranges = [...source.matchAll(/\{0x([0-9a-f]+), 0x([0-9a-f]+)\}/g)];
  assert.ok(ranges.length > 10);
  const isDeceptive = (code: number): boolean => ranges.some(([, first, last]) => code >= parseInt(first!, 16) && code <= parseInt(last!, 16));
  const isControl = (code: number): boolean => code < 0x20 || (code >= 0x7f && code < 0xa0);
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const character = String.fromCodePoint(code);
    const isShown = character === '\t' || !(isControl(code) || isDeceptive(code));
    assert.equal(visible(character) === character, isShown, `U+${code.toString(16)}`);
  }
  const joining = [...source.matchAll(/\.first = 0x([0-9a-f]+),\s*\.last = 0x([0-9a-f]+)/g)];
  assert.ok(joining.length > 4);
  const isJoining = (code: number): boolean => joining.some(([, first, last]) => code >= parseInt(first!, 16) && code <= parseInt(last!, 16));
  for (let code = 0x41; code <= 0xffff; code += 1) {
    if (isDeceptive(code) || isControl(code) || (code >= 0xd800 && code < 0xe000)) continue;
    const word = `${String.fromCodePoint(code)}\u200c${String.fromCodePoint(code)}`;
    assert.equal(visible(word) === word, isJoining(code), `U+${code.toString(16)}`);
  }
});

test('a non-joiner is a part of Persian words, and seen elsewhere', () => {
  assert.equal(visible('می\u200cخواهم'), 'می\u200cخواهم');
  assert.equal(visible('pay\u200cpal \u200c'), 'pay⟨U+200C⟩pal ⟨U+200C⟩');
});

test('attributes of one sequence are taken in their order, and an empty one resets', () => {
  assert.equal(segments('\x1b[31;0mx')[0]?.style.foreground, null);
  assert.deepEqual(segments('\x1b[0;1;31mx')[0]?.style.decorations, ['bold']);
  assert.equal(segments('\x1b[31ma\x1b[mb')[1]?.style.foreground, null);
});

test('tabs and wide characters keep their columns where text is drawn over', () => {
  assert.equal(plain('a\tb\tc\rX\tY'), 'X       Y       c');
  assert.equal(plain('日本語\r混'), '混本語');
  assert.equal(plain('日本語\rab'), 'ab本語');
  assert.equal(plain('日本\rx'), 'x 本');
  assert.equal(plain('e\u0301x\rab'), 'ab');
});

test('no half of a wide character that is drawn over keeps its look', () => {
  assert.deepEqual(segments('\x1b[4m日本\x1b[2D.\x1b[m').map(({ text, style }) => [text, style.decorations]), [['日.', ['underline']], [' ', []]]);
});

test('what is erased in a colour has it up to the edge of a terminal', () => {
  const grounds = (text: string): [string, boolean][] => segments(text).map(({ text, style }) => [text, style.background !== null]);
  assert.deepEqual(grounds('\x1b[44m\x1b[K\x1b[m'), [[' '.repeat(80), true]]);
  assert.deepEqual(grounds('a\x1b[44m\x1b[K\x1b[m\x1b[80Gb'), [['a', false], [' '.repeat(78), true], ['b', false]]);
  assert.deepEqual(grounds('abc\x1b[44m\x1b[1K'), [['    ', true]]);
  assert.deepEqual(grounds('a\x1b[44m\x1b[2K\x1b[m\x1b[K'), [[' ', true]]);
  assert.deepEqual(grounds('ab\x1b[44m\x1b[2D\x1b[P\x1b[m'), [[`b${' '.repeat(78)}`, false], [' ', true]]);
  assert.equal(segments('a\x1b[44m\x1b[K\x1b[m\x1b[K')[0]!.text, 'a');
});

test('a line is cut where wide characters begin and end', () => {
  const runs = (text: string): string => runsOf(text).map(({ text, isWide }) => (isWide ? `<${text}>` : text)).join('');
  assert.equal(runs('abc \u2502 \u2713'), 'abc \u2502 \u2713');
  assert.equal(runs('日本 a 語'), '<日本> a <語>');
  assert.equal(runs('か\u3099、（한'), '<か\u3099、（한>');
  assert.equal(runs('e\u0301\u{1F600}日'), 'e\u0301\u{1F600}<日>');
  assert.equal(runs('\u{20000}'), '<\u{20000}>');
});

test('a non-joiner is looked at with what is beside the text', () => {
  const word = ['\u0645\u06cc\u200c', '\u062e\u0648'] as const;
  assert.deepEqual(partsOf(word[0], '', word[1][0]).map(({ kind }) => kind), ['text']);
  assert.deepEqual(partsOf(`\u200c${word[1]}`, word[0][1]).map(({ kind }) => kind), ['text']);
  assert.deepEqual(partsOf(word[0], '', 'x').map(({ kind }) => kind), ['text', 'control']);
  assert.deepEqual(partsOf('a', '\x1b', '\u202e').map(({ kind }) => kind), ['text']);
});

test('the character set for drawing lines', () => {
  assert.equal(plain('x\x0fx'), 'xx');
  assert.equal(plain('\x1b(0lqk\x1b(B lqk'), '┌─┐ lqk');
  assert.equal(plain('\x1b)0\x0emqj\x0f mqj'), '└─┘ mqj');
});
