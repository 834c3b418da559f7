#define _DEFAULT_SOURCE
#include "mail.h"

#include <string.h>
#include <time.h>

/* RFC 5322 allows 998 bytes in a line, its end not counted. */
#define LONGEST_LINE 998

/* RFC 2047 allows 75 characters in an encoded word: =?UTF-8?B? ?= leaves 60 for 45 bytes of text. */
#define WORD_BYTES 45

int mail_is_address(const char *text)
{
    const char *at = strchr(text, '@');
    const char *c;
    if (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL || strlen(text) > 254)
        return 0;
    for (c = text; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("()<>[]:;,\\\"", *c) != NULL)
            return 0;
    return 1;
}

/* Whether the byte goes on with a UTF-8 character that began before. */
static int goes_on(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static void write_word(FILE *file, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i;
    fputs("=?UTF-8?B?", file);
    for (i = 0; i < n; i += 3) {
        const unsigned long left = n - i;
        const unsigned long bits = (unsigned long)bytes[i] << 16 | (left > 1 ? (unsigned long)bytes[i + 1] << 8 : 0) |
                                   (left > 2 ? (unsigned long)bytes[i + 2] : 0);
        fputc(digits[bits >> 18 & 63], file);
        fputc(digits[bits >> 12 & 63], file);
        fputc(left > 1 ? digits[bits >> 6 & 63] : '=', file);
        fputc(left > 2 ? digits[bits & 63] : '=', file);
    }
    fputs("?=", file);
}

/* As it is if it is short and printable, else in encoded words, which break no character. */
static void write_subject(FILE *file, const char *subject)
{
    const size_t length = strlen(subject);
    size_t start = 0, i;
    int plain = length < LONGEST_LINE - 20;
    for (i = 0; i < length; i++)
        plain = plain && subject[i] >= ' ' && subject[i] < 0x7f;
    fputs("Subject: ", file);
    if (plain) {
        fputs(subject, file);
    } else {
        while (start < length) {
            size_t n = length - start < WORD_BYTES ? length - start : WORD_BYTES;
            while (start + n < length && goes_on(subject[start + n]))
                n--;
            if (start > 0)
                fputs("\n ", file);
            write_word(file, (const unsigned char *)subject + start, n);
            start += n;
        }
    }
    fputc('\n', file);
}

void mail_begin(FILE *file, const char *from, const char *to, const char *subject, const char *id, int64_t at,
                int64_t offset_s)
{
    const time_t wall = (time_t)(at + offset_s);
    const long minutes = (long)((offset_s < 0 ? -offset_s : offset_s) / 60);
    struct tm civil;
    char date[64];
    gmtime_r(&wall, &civil);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S", &civil);
    fprintf(file, "From: %s\nTo: %s\n", from, to);
    write_subject(file, subject);
    fprintf(file, "Date: %s %c%02ld%02ld\n", date, offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
    fprintf(file, "Message-ID: <%s%s>\n", id, strchr(from, '@'));
    /* So that no automatic reply comes back. */
    fputs("Auto-Submitted: auto-generated\n"
          "MIME-Version: 1.0\n"
          "Content-Type: text/plain; charset=UTF-8\n"
          "Content-Transfer-Encoding: 8bit\n"
          "\n",
          file);
}

void mail_text(FILE *file, const char *text, size_t length)
{
    size_t start = 0;
    while (start < length) {
        const char *end = memchr(text + start, '\n', length - start);
        size_t n = end != NULL ? (size_t)(end - text) - start : length - start;
        if (n > LONGEST_LINE) {
            n = LONGEST_LINE;
            while (n > 0 && goes_on(text[start + n]))
                n--;
        }
        fwrite(text + start, 1, n, file);
        fputc('\n', file);
        start += n;
        if (start < length && text[start] == '\n')
            start++;
    }
}
