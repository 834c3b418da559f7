/* Writing mail as RFC 5322 text, with the line ends of the system: what sendmail takes. */
#ifndef MAIL_H
#define MAIL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Whether a text is an address that can stand in a header as it is: ASCII, one @ between other characters. */
int mail_is_address(const char *text);

/* Writes the headers and the empty line after them. `subject` is UTF-8; `id` is made of letters, digits, . _ -, and
 * becomes a Message-ID of the sender's host. `at` is the date, `offset_s` its zone's distance from UTC in seconds. */
void mail_begin(FILE *file, const char *from, const char *to, const char *subject, const char *id, int64_t at,
                int64_t offset_s);

/* Writes UTF-8 text, with no line longer than RFC 5322 allows. */
void mail_text(FILE *file, const char *text, size_t length);

#endif
