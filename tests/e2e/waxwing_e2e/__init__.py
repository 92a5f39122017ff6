# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on: the real binaries between a scripted engine and a stock client."""
