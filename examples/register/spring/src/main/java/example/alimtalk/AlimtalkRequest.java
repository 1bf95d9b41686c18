// SPDX-License-Identifier: MIT
package example.alimtalk;

public record AlimtalkRequest(String to, String text, String ref) {
}
