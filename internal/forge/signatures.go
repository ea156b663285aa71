package forge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// signatures are good tokens whose signature was touched.
func (t Target) signatures() []Token {
	good := t.Good()
	dot := strings.LastIndexByte(good, '.')
	signed := good[:dot]
	raw, err := base64.RawURLEncoding.DecodeString(good[dot+1:])
	if err != nil {
		panic(err)
	}
	with := func(name string, signature []byte) Token {
		return Token{"signature " + name, signed + "." + encode(signature)}
	}
	other := t.sign(t.header(), t.claims("jti", `"other"`))
	all := []Token{
		with("all zero", make([]byte, len(raw))),
		with("all ones", slices.Repeat([]byte{0xff}, len(raw))),
		with("a byte more", append(slices.Clone(raw), 0)),
		with("a byte before", append([]byte{0}, raw...)),
		with("a byte less", raw[:len(raw)-1]),
		with("its first byte", raw[:1]),
		with("its first half", raw[:len(raw)/2]),
		with("twice", append(slices.Clone(raw), raw...)),
		with("backwards", reversed(raw)),
		with("the hash of what is signed", hash(signed)),
		with("in hexadecimal", fmt.Appendf(nil, "%x", raw)),
		with("the text of itself", []byte(good[dot+1:])),
		{"signature of another token", signed + other[strings.LastIndexByte(other, '.'):]},
		{"claims of another token", strings.Split(good, ".")[0] + "." + strings.Split(other, ".")[1] + good[dot:]},
	}
	// Every bit of HS256's signature; of the longer ones 256 that are spread evenly.
	for step, bit := max(1, len(raw)*8/256), 0; bit < len(raw)*8; bit += step {
		flipped := slices.Clone(raw)
		flipped[bit/8] ^= 1 << (bit % 8)
		all = append(all, with(fmt.Sprintf("bit %d flipped", bit), flipped))
	}
	for _, s := range t.special(signed, raw) {
		all = append(all, with(s.Name, []byte(s.Text)))
	}
	return all
}

// special are signatures that only careless verification takes; their texts are bytes.
func (t Target) special(signed string, raw []byte) []Token {
	switch key := t.Key.(type) {
	case *ecdsa.PrivateKey:
		return curve(raw)
	case ed25519.PrivateKey:
		return edwards(raw)
	case *rsa.PrivateKey:
		return power(key, signed, raw)
	default:
		return nil
	}
}

// curve returns signatures of ECDSA whose numbers are out of range, as in CVE-2022-21449, or written otherwise.
func curve(raw []byte) []Token {
	n := elliptic.P256().Params().N.Bytes()
	zero, one := make([]byte, 32), append(make([]byte, 31), 1)
	r, s := raw[:32], raw[32:]
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)})
	if err != nil {
		panic(err)
	}
	pair := func(name string, parts ...[]byte) Token { return Token{name, string(slices.Concat(parts...))} }
	return []Token{
		pair("in DER", der), pair("r=0 s=0 in DER", []byte{0x30, 6, 2, 1, 0, 2, 1, 0}),
		pair("r=0", zero, s), pair("s=0", r, zero), pair("r=0 s=1", zero, one), pair("r=1 s=0", one, zero), pair("r=1 s=1", one, one),
		pair("r=n", n, s), pair("s=n", r, n), pair("r=n s=n", n, n), pair("exchanged", s, r),
		pair("each number longer", []byte{0}, r, []byte{0}, s), pair("s above n", r, slices.Repeat([]byte{0xff}, 32)),
	}
}

// smallOrder are the encodings of points of small order on edwards25519, canonical and not.
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// edwards returns signatures of Ed25519 of small order, and those whose number is too big by the order of the group.
func edwards(raw []byte) []Token {
	zero := make([]byte, 32)
	var all []Token
	for _, point := range smallOrder {
		r, err := hex.DecodeString(point)
		if err != nil {
			panic(err)
		}
		all = append(
			all,
			Token{"R " + point[:8] + " of small order, S=0", string(r) + string(zero)},
			Token{"R " + point[:8] + " of small order, S kept", string(r) + string(raw[32:])},
		)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := new(big.Int).SetBytes(reversed(raw[32:]))
	for i := range 4 { // S + L, S + 2L …: the same point
		if s.Add(s, order).BitLen() <= 256 {
			all = append(all, Token{fmt.Sprintf("S + %dL", i+1), string(raw[:32]) + string(reversed(s.FillBytes(make([]byte, 32))))})
		}
	}
	return all
}

// power returns signatures of RSA with other or without padding.
func power(key *rsa.PrivateKey, signed string, raw []byte) []Token {
	size := key.Size()
	digest := hash(signed)
	pss, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest, nil)
	if err != nil {
		panic(err)
	}
	bare, err := rsa.SignPKCS1v15(nil, key, 0, digest) // without saying what kind of hash it is
	if err != nil {
		panic(err)
	}
	number := func(i *big.Int) string { return string(i.FillBytes(make([]byte, size))) }
	textbook := new(big.Int).Exp(new(big.Int).SetBytes(digest), key.D, key.N)
	all := []Token{
		{"by PSS", string(pss)},
		{"without the kind of hash", string(bare)},
		{"without padding", number(textbook)},
		{"0", number(new(big.Int))},
		{"1", number(big.NewInt(1))},
		{"n", number(key.N)},
		{"n-1", number(new(big.Int).Sub(key.N, big.NewInt(1)))},
		{"the padding itself", "\x00\x01" + strings.Repeat("\xff", size-35) + "\x00" + string(digest)},
	}
	if more := new(big.Int).Add(new(big.Int).SetBytes(raw), key.N); more.BitLen() <= size*8 {
		all = append(all, Token{"s + n", number(more)})
	}
	return all
}

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}
