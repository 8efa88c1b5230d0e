/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A key by which names that sound alike are found: Mohammed, Mohamed, Muhammed; Fatima, Fatma; Yusuf, Youssef, Joesoef.
 *
 * Made for the names of Dutch neighbourhoods (Dutch; Arabic as written in Dutch, French, English ways; Turkish), one
 * folding for all, so that it is right more often than any one language's would be. It finds too much rather than too
 * little: a key is a hint, never a reason to take two people for one.
 *
 * The key of a word: accents go; the first vowel counts by its class, the others not at all, but for whether the word
 * ends in one (Karim, Karima); consonants by these rules, and the same one twice in a row counts once.
 *   vowels    a = a; e, i, y, and a before i, y, j = e; o, u, oe, ou = o; ij as i; ı as i
 *   s         s, z, c before e, i, y; ç, ş; sh, sj, sch, tsj, dj, tj; ch within a word; j between i and a vowel
 *   h         h, kh, ch at the start; not heard at the end of a word or after a consonant
 *   k         k, q, c otherwise; x is ks
 *   f         f, v, ph;   t  t, th, d but not at the start;   p  p, b at the end
 *   j         j or y before a vowel at the start; elsewhere a vowel
 *   w         w, or ou before a vowel, at the start; elsewhere a vowel
 *   b d g l m n p r   as they are
 * Letters of other scripts have no key: such names are found as they are written.
 */
#ifndef SLB_MODEL_SOUNDS_H
#define SLB_MODEL_SOUNDS_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the keys of the words of `text` (UTF-8), in their order, each followed by a blank; lower case ASCII letters.
 * A word is a run of letters; where no consonant or only one letter is left ("B.", "Mw."), it has no key.
 * ERR_NO_MEMORY. */
enum err sounds_put(struct bytes text, struct buf *out) MUST_CHECK;

#endif
